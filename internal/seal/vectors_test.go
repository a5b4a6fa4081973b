package seal

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// The vectors of the primitives, one file by each implementation; both read
// both. `go test ./internal/seal -run Vectors -update` writes Go's anew.
var update = flag.Bool("update", false, "write the vectors that Go makes")

const vectorFolder = "../../protocol/vectors"

// primitives is one file; every string but the safety number is hexadecimal.
type primitives struct {
	Org       string         `json:"org"`
	Prefix    string         `json:"prefix"`
	Content   string         `json:"content"`
	Kind      int            `json:"kind"`
	SigKey    string         `json:"sig_pk"`
	Signature string         `json:"signature"`
	KEMSeed   string         `json:"kem_seed"`
	KEMKey    string         `json:"kem_pk"`
	Info      string         `json:"info"`
	Secret    string         `json:"es"`
	Enc       string         `json:"enc"`
	CT        string         `json:"ct"`
	CoreHash  string         `json:"core_hash"`
	Commit    string         `json:"commit"`
	EpochHash string         `json:"epoch_hash"`
	Header    string         `json:"h"`
	AAD       string         `json:"aad"`
	Payload   string         `json:"payload"`
	Random    string         `json:"random"`
	HeaderCut string         `json:"h0"`
	MessageID string         `json:"msg_id"`
	Body      string         `json:"body_ct"`
	C         string         `json:"body_c"`
	Conv      string         `json:"conv"`
	LogStart  string         `json:"log_0"`
	LogNext   string         `json:"log_1"`
	Members   []vectorMember `json:"members"`
	Safety    string         `json:"safety_number"`
}

type vectorMember struct {
	Role int    `json:"role"`
	Key  string `json:"sig_pk"`
}

func drawn(t *testing.T, n int) []byte {
	t.Helper()
	b := make([]byte, n)
	if _, err := rand.Read(b); err != nil {
		t.Fatal(err)
	}
	return b
}

func readPrimitives(t testing.TB, name string) primitives {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(vectorFolder, name))
	if err != nil {
		t.Fatal(err)
	}
	var p primitives
	if err := json.Unmarshal(content, &p, json.RejectUnknownMembers(true)); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p primitives) identities(t *testing.T) []Identity {
	t.Helper()
	var all []Identity
	for _, m := range p.Members {
		all = append(all, Identity{Role: byte(m.Role), SigKey: [32]byte(unhex(t, m.Key))})
	}
	return all
}

func makePrimitives(t *testing.T) primitives {
	t.Helper()
	text := hex.EncodeToString
	key := ed25519.NewKeyFromSeed(drawn(t, 32))
	signed := Signed{Kind: 3, Org: [32]byte(drawn(t, 32)), Prefix: drawn(t, 64), Content: drawn(t, 150)}
	seed := drawn(t, 32)
	kem, err := NewKEMKey(seed)
	if err != nil {
		t.Fatal(err)
	}
	es, core, epoch, conv := [32]byte(drawn(t, 32)), [32]byte(drawn(t, 32)), [32]byte(drawn(t, 32)), [32]byte(drawn(t, 32))
	info, h, payload := drawn(t, 43), drawn(t, 75), []byte("aldaba: ¿quién llama?")
	enc, ct, err := WrapSecret(es[:], kem.PublicKey().Bytes(), info)
	if err != nil {
		t.Fatal(err)
	}
	padded, err := Pad(payload)
	if err != nil {
		t.Fatal(err)
	}
	aad := append(append(append([]byte{}, conv[:]...), epoch[:]...), h...)
	body, c, err := SealBody(DeriveMessageKeys(es, epoch, h), aad, padded)
	if err != nil {
		t.Fatal(err)
	}
	random, h0 := [32]byte(drawn(t, 32)), drawn(t, 59)
	id := messageID(es, random, h0, padded)
	commit, start := Commit(es, core), LogStart(conv)
	next := LogNext(start, 1, body)
	p := primitives{
		Org: text(signed.Org[:]), Prefix: text(signed.Prefix), Content: text(signed.Content), Kind: 3,
		SigKey: text(publicOf(key)), Signature: text(signed.Sign(key)),
		KEMSeed: text(seed), KEMKey: text(kem.PublicKey().Bytes()), Info: text(info),
		Secret: text(es[:]), Enc: text(enc), CT: text(ct),
		CoreHash: text(core[:]), Commit: text(commit[:]), EpochHash: text(epoch[:]),
		Header: text(h), AAD: text(aad), Payload: text(payload),
		Random: text(random[:]), HeaderCut: text(h0), MessageID: text(id[:]), Body: text(body), C: text(c[:]),
		Conv: text(conv[:]), LogStart: text(start[:]), LogNext: text(next[:]),
	}
	for _, role := range []int{1, 2, 3} {
		p.Members = append(p.Members, vectorMember{role, text(drawn(t, 32))})
	}
	p.Safety = SafetyNumber(conv, p.identities(t))
	return p
}

// [K1] [W4] [V8] [V9] [V10] [L9] [L10] [L11] Both implementations get the same bytes.
func TestVectors(t *testing.T) {
	if *update {
		content, err := json.Marshal(makePrimitives(t), jsontext.WithIndent("  "))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(vectorFolder, "primitives-go.json"), append(content, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"primitives-go.json", "primitives-ts.json"} {
		t.Run(name, func(t *testing.T) {
			readPrimitives(t, name).check(t)
		})
	}
}

func (p primitives) check(t *testing.T) {
	t.Helper()
	bytes := func(text string) []byte { return unhex(t, text) }
	same := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	signed := Signed{Kind: byte(p.Kind), Org: [32]byte(bytes(p.Org)), Prefix: bytes(p.Prefix), Content: bytes(p.Content)}
	if err := signed.Verify(bytes(p.SigKey), bytes(p.Signature)); err != nil {
		t.Error(err)
	}
	kem, err := NewKEMKey(bytes(p.KEMSeed))
	if err != nil {
		t.Fatal(err)
	}
	same("KEM key", hex.EncodeToString(kem.PublicKey().Bytes()), p.KEMKey)
	es, err := OpenSecret(kem, bytes(p.Enc), bytes(p.CT), bytes(p.Info), 32)
	if err != nil {
		t.Fatal(err)
	}
	same("secret", hex.EncodeToString(es), p.Secret)
	commit := Commit([32]byte(es), [32]byte(bytes(p.CoreHash)))
	same("commitment of the epoch", hex.EncodeToString(commit[:]), p.Commit)
	keys := DeriveMessageKeys([32]byte(es), [32]byte(bytes(p.EpochHash)), bytes(p.Header))
	payload, err := OpenBody(keys, bytes(p.AAD), bytes(p.Body), [32]byte(bytes(p.C)))
	if err != nil {
		t.Fatal(err)
	}
	same("payload", hex.EncodeToString(payload), p.Payload)
	padded, err := Pad(payload)
	if err != nil {
		t.Fatal(err)
	}
	id := messageID([32]byte(es), [32]byte(bytes(p.Random)), bytes(p.HeaderCut), padded)
	same("msg_id", hex.EncodeToString(id[:]), p.MessageID)
	conv := [32]byte(bytes(p.Conv))
	start := LogStart(conv)
	next := LogNext(start, 1, bytes(p.Body))
	same("log hash of the genesis", hex.EncodeToString(start[:]), p.LogStart)
	same("log hash of the first entry", hex.EncodeToString(next[:]), p.LogNext)
	same("safety number", SafetyNumber(conv, p.identities(t)), p.Safety)
}
