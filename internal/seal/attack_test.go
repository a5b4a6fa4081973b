package seal

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hpke"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"testing"
)

// attack is one case: objects, a step that takes one of them, and the rule by
// which it is refused, or none. The same cases run fresh and from the vectors
// (protocol/vectors/README.md says what each step does).
type attack struct {
	name string
	rule Refusal // without Rule: the input is accepted
	step string
	kind Kind

	now        uint64
	live       bool
	org        [32]byte
	minPolicy  uint32
	primeOrder bool
	trust      [][]byte
	expect     Expect
	log        [][]byte
	wraps      [][]byte

	input       []byte
	then        []byte // what is taken after the input was refused
	certificate []byte
	keyObject   []byte
	at          uint64
	mac         [32]byte
	invitation  string
	member      *Keys
	departments []Keys
	payload     *Payload // what an accepted read gives
	logAfter    [32]byte // the running hash after an accepted entry
}

// object makes an empty object of a kind, or nil.
func object(kind Kind) Object {
	switch kind {
	case KindGenesis:
		return new(Genesis)
	case KindEpoch:
		return new(Epoch)
	case KindEvent:
		return new(Event)
	case KindGrant:
		return new(Grant)
	case KindKeyObject:
		return new(KeyObject)
	case KindPolicy:
		return new(Policy)
	case KindCertificate:
		return new(Certificate)
	case KindStatus:
		return new(Status)
	case KindEnrolment:
		return new(Enrolment)
	case KindRootChange:
		return new(RootChange)
	case KindReceipt:
		return new(Receipt)
	case KindSession:
		return new(Session)
	case KindWrap:
		return new(Wrap)
	}
	return nil
}

// run fails the test when the case does not end as it says.
func (a *attack) run(t *testing.T) {
	t.Helper()
	err := a.outcome(t)
	if a.rule.Rule == "" {
		if err != nil {
			t.Errorf("refused: %v", err)
		}
		return
	}
	var got Refusal
	if !errors.As(err, &got) || got.Rule != a.rule.Rule || got.Code != a.rule.Code {
		t.Errorf("%v, want a refusal by %s %s", err, a.rule.Rule, a.rule.Code)
	}
}

func (a *attack) believes(t *testing.T) *Trust {
	t.Helper()
	trust := NewTrust(a.org, a.minPolicy, a.primeOrder)
	for i, o := range a.trust {
		if err := trust.Add(o); err != nil {
			t.Fatalf("object %d of trust: %v", i, err)
		}
	}
	return trust
}

// reads takes the log as the member of the case, or as nobody.
func (a *attack) reads(t *testing.T) *Seat {
	t.Helper()
	transcript, err := NewTranscript(a.believes(t), a.log[0], a.expect, a.now, false)
	if err != nil {
		t.Fatalf("the genesis: %v", err)
	}
	var keys Keys
	if a.member != nil {
		keys = *a.member
	}
	seat := NewSeat(transcript, keys, a.departments...)
	for i, entry := range a.log[1:] {
		if _, err := seat.Take(entry, a.wraps, a.now, false); err != nil {
			t.Fatalf("entry %d of the log: %v", i+1, err)
		}
	}
	return seat
}

// state is everything of a transcript that an entry may change.
func (t *Transcript) state() string {
	return fmt.Sprint(t.Kept(), t.closed, t.nextLeaf, t.leaves, len(t.epochs), t.epochSeq, len(t.hashes), len(t.messages), t.acts)
}

func (a *attack) outcome(t *testing.T) error {
	t.Helper()
	switch a.step {
	case "parse":
		o := object(a.kind)
		if o == nil {
			t.Fatalf("kind %d has no object", a.kind)
		}
		if err := Parse(a.input, o); err != nil {
			return err
		}
		if !bytes.Equal(o.base().Bytes(), a.input) {
			t.Error("[P10] what was parsed has other bytes")
		}
		return nil
	case "trust":
		return a.believes(t).Add(a.input)
	case "live":
		return a.believes(t).Live(a.now)
	case "judge":
		trust := a.believes(t)
		_, err := trust.Judge(hashOf(a.certificate), trust.Policy(), a.at)
		return err
	case "judge_key":
		x := new(Certificate)
		if err := Parse(a.certificate, x); err != nil {
			t.Fatal(err)
		}
		_, err := a.believes(t).JudgeKey(hashOf(a.input), x, a.at)
		return err
	case "enrolment":
		inv, err := ParseInvitation(a.invitation)
		if err != nil {
			t.Fatal(err)
		}
		_, err = CheckEnrolment(a.input, a.mac, inv, a.org, a.now)
		return err
	case "department":
		x, k := new(Certificate), new(KeyObject)
		if err := errors.Join(Parse(a.certificate, x), Parse(a.keyObject, k)); err != nil {
			t.Fatal(err)
		}
		for to, key := range a.member.KEM {
			_, err := OpenDepartmentKey(a.input, x, k, to, key)
			return err
		}
		t.Fatal("the member has no KEM key")
	case "genesis":
		_, err := NewTranscript(a.believes(t), a.input, a.expect, a.now, a.live)
		return err
	case "entry":
		return a.append(t)
	case "complete":
		return a.reads(t).Complete()
	case "open", "read":
		line, err := a.reads(t).Take(a.input, a.wraps, a.now, a.live)
		if err != nil {
			t.Fatalf("the transcript does not take it: %v", err)
		}
		if line.Hidden == nil && a.payload != nil && !line.Payload.says(a.payload) {
			t.Errorf("read %+v, want %+v", line.Payload, a.payload)
		}
		return line.Hidden
	case "grant":
		line, err := a.reads(t).Take(a.input, a.wraps, a.now, a.live)
		if err != nil {
			t.Fatalf("the transcript does not take it: %v", err)
		}
		if a.payload != nil && (len(line.Again) == 0 || !line.Again[0].Payload.says(a.payload)) {
			t.Errorf("%d events open, want %+v first", len(line.Again), a.payload)
		}
		if a.payload == nil && len(line.Again) > 0 {
			t.Errorf("%d events open", len(line.Again))
		}
		return line.Hidden
	case "wraps":
		e := new(Epoch)
		if err := Parse(a.input, e); err != nil {
			t.Fatal(err)
		}
		return e.CheckWraps(a.wraps)
	default:
		t.Fatalf("step %q is not known", a.step)
	}
	return nil
}

// says compares what vectors tell of a payload.
func (p *Payload) says(other *Payload) bool {
	return p != nil && p.Type == other.Type && p.Text == other.Text && p.Delivered == other.Delivered && p.Read == other.Read &&
		slices.Equal(p.Fields, other.Fields)
}

// append is the step "entry": after a refusal nothing has changed, and the
// right entry is still taken.
func (a *attack) append(t *testing.T) error {
	t.Helper()
	transcript := a.reads(t).Transcript
	before := transcript.state()
	step, err := transcript.Append(a.input, a.now, a.live)
	if err == nil {
		if a.logAfter == ([32]byte{}) {
			a.logAfter = step.Log
		}
		if step.Log != a.logAfter || transcript.Log() != step.Log {
			t.Errorf("the log is %x after the entry, want %x", step.Log, a.logAfter)
		}
		return nil
	}
	if after := transcript.state(); after != before {
		t.Errorf("a refused entry changed the transcript:\n%s\n%s", before, after)
	}
	if a.then != nil {
		if _, err := transcript.Append(a.then, a.now, a.live); err != nil {
			t.Errorf("after the refusal the right entry is refused: %v", err)
		}
	}
	return err
}

// The file of vectors. Every object stands once, and cases name it by index.
type vectorFile struct {
	Objects []string     `json:"objects"`
	Cases   []vectorCase `json:"cases"`
}

type vectorField struct {
	Name  string `json:"name"`
	Kind  byte   `json:"kind"`
	Value string `json:"value"`
}

type vectorCase struct {
	Name        string        `json:"name"`
	Rule        string        `json:"rule"`
	Code        string        `json:"code"`
	Step        string        `json:"step"`
	Kind        int           `json:"kind,omitzero"`
	Now         uint64        `json:"now"`
	Live        bool          `json:"live"`
	Org         string        `json:"org"`
	MinPolicy   uint32        `json:"min_policy,omitzero"`
	PrimeOrder  bool          `json:"prime_order,omitzero"`
	Trust       []int         `json:"trust,omitempty"`
	Expect      *expectation  `json:"expect,omitzero"`
	Log         []int         `json:"log,omitempty"`
	Wraps       []int         `json:"wraps,omitempty"`
	Input       *int          `json:"input,omitzero"`
	Then        *int          `json:"then,omitzero"`
	Certificate *int          `json:"certificate,omitzero"`
	KeyObject   *int          `json:"key_object,omitzero"`
	At          uint64        `json:"at,omitzero"`
	MAC         string        `json:"mac,omitzero"`
	Invitation  string        `json:"invitation,omitzero"`
	Member      *vectorKeys   `json:"member,omitzero"`
	Departments []vectorKeys  `json:"departments,omitempty"`
	PayloadType int           `json:"payload_type,omitzero"`
	Marks       []uint64      `json:"marks,omitempty"`
	Fields      []vectorField `json:"fields,omitempty"`
	Text        string        `json:"text,omitzero"`
	Hash        string        `json:"hash,omitzero"`
	LogAfter    string        `json:"log_after,omitzero"`
}

type expectation struct {
	Conv    string        `json:"conv,omitzero"`
	Dept    string        `json:"dept,omitzero"`
	MinMode int           `json:"min_mode,omitzero"`
	Genesis string        `json:"genesis,omitzero"`
	Kept    *keptHitherto `json:"kept,omitzero"`
}

type keptHitherto struct {
	Seq   uint64 `json:"seq"`
	Log   string `json:"log"`
	N     uint32 `json:"n"`
	Epoch string `json:"epoch"`
}

type vectorKeys struct {
	Owner    string      `json:"owner"`
	SignSeed string      `json:"sign_seed"`
	KEM      []vectorKEM `json:"kem"`
}

type vectorKEM struct {
	KeyObject string `json:"key_object"`
	Seed      string `json:"seed"`
}

// index gives an object's place in the table, nil for no object.
func (f *vectorFile) index(object []byte) *int {
	if object == nil {
		return nil
	}
	text := hex.EncodeToString(object)
	at := slices.Index(f.Objects, text)
	if at < 0 {
		at = len(f.Objects)
		f.Objects = append(f.Objects, text)
	}
	return &at
}

func (f *vectorFile) indexes(objects [][]byte) []int {
	var all []int
	for _, o := range objects {
		all = append(all, *f.index(o))
	}
	return all
}

func exportKeys(t *testing.T, k Keys) vectorKeys {
	t.Helper()
	out := vectorKeys{Owner: hex.EncodeToString(k.Owner[:]), SignSeed: hex.EncodeToString(k.Sign.Seed())}
	for object, key := range k.KEM {
		seed, err := key.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		out.KEM = append(out.KEM, vectorKEM{hex.EncodeToString(object[:]), hex.EncodeToString(seed)})
	}
	slices.SortFunc(out.KEM, func(a, b vectorKEM) int { return bytes.Compare([]byte(a.KeyObject), []byte(b.KeyObject)) })
	return out
}

func importKeys(t *testing.T, v vectorKeys) Keys {
	t.Helper()
	k := Keys{
		Owner: [32]byte(unhex(t, v.Owner)), Sign: ed25519.NewKeyFromSeed(unhex(t, v.SignSeed)),
		KEM: map[[32]byte]hpke.PrivateKey{},
	}
	for _, one := range v.KEM {
		key, err := NewKEMKey(unhex(t, one.Seed))
		if err != nil {
			t.Fatal(err)
		}
		k.KEM[[32]byte(unhex(t, one.KeyObject))] = key
	}
	return k
}

// add writes a case that has run.
func (f *vectorFile) add(t *testing.T, a *attack) {
	t.Helper()
	text := hex.EncodeToString
	v := vectorCase{
		Name: a.name, Rule: a.rule.Rule, Code: a.rule.Code, Step: a.step, Kind: int(a.kind), Now: a.now, Live: a.live,
		Org: text(a.org[:]), MinPolicy: a.minPolicy, PrimeOrder: a.primeOrder,
		Trust: f.indexes(a.trust), Log: f.indexes(a.log), Wraps: f.indexes(a.wraps),
		Input: f.index(a.input), Then: f.index(a.then), Certificate: f.index(a.certificate), KeyObject: f.index(a.keyObject),
		At: a.at, Invitation: a.invitation,
	}
	if a.step == "enrolment" {
		v.MAC = text(a.mac[:])
	}
	if x := a.expect; x.Conv != nil || x.Dept != nil || x.MinMode != 0 || x.Genesis != nil || x.Kept != nil {
		v.Expect = &expectation{MinMode: int(x.MinMode), Genesis: text(x.Genesis)}
		if x.Conv != nil {
			v.Expect.Conv = text(x.Conv[:])
		}
		if x.Dept != nil {
			v.Expect.Dept = text(x.Dept[:])
		}
		if k := x.Kept; k != nil {
			v.Expect.Kept = &keptHitherto{k.Seq, text(k.Log[:]), k.N, text(k.Epoch[:])}
		}
	}
	if a.member != nil {
		keys := exportKeys(t, *a.member)
		v.Member = &keys
	}
	for _, d := range a.departments {
		v.Departments = append(v.Departments, exportKeys(t, d))
	}
	if a.payload != nil {
		v.PayloadType, v.Text = int(a.payload.Type), a.payload.Text
		if a.payload.Type == TypeMarks {
			v.Marks = []uint64{a.payload.Delivered, a.payload.Read}
		}
		for _, f := range a.payload.Fields {
			v.Fields = append(v.Fields, vectorField(f))
		}
	}
	if a.rule.Rule == "" && a.step == "entry" {
		hash := hashOf(a.input)
		v.Hash, v.LogAfter = text(hash[:]), text(a.logAfter[:])
	}
	f.Cases = append(f.Cases, v)
}

// attack reads a case.
func (f *vectorFile) attack(t *testing.T, v vectorCase) *attack {
	t.Helper()
	object := func(at *int) []byte {
		if at == nil {
			return nil
		}
		return unhex(t, f.Objects[*at])
	}
	objects := func(list []int) [][]byte {
		var all [][]byte
		for _, at := range list {
			all = append(all, object(&at))
		}
		return all
	}
	a := &attack{
		name: v.Name, rule: Refusal{Rule: v.Rule, Code: v.Code}, step: v.Step, kind: Kind(v.Kind), now: v.Now, live: v.Live,
		org: [32]byte(unhex(t, v.Org)), minPolicy: v.MinPolicy, primeOrder: v.PrimeOrder,
		trust: objects(v.Trust), log: objects(v.Log), wraps: objects(v.Wraps),
		input: object(v.Input), then: object(v.Then), certificate: object(v.Certificate), keyObject: object(v.KeyObject),
		at: v.At, invitation: v.Invitation,
	}
	if v.MAC != "" {
		a.mac = [32]byte(unhex(t, v.MAC))
	}
	if x := v.Expect; x != nil {
		a.expect.MinMode = byte(x.MinMode)
		if x.Conv != "" {
			conv := [32]byte(unhex(t, x.Conv))
			a.expect.Conv = &conv
		}
		if x.Dept != "" {
			dept := [16]byte(unhex(t, x.Dept))
			a.expect.Dept = &dept
		}
		if x.Genesis != "" {
			a.expect.Genesis = unhex(t, x.Genesis)
		}
		if k := x.Kept; k != nil {
			a.expect.Kept = &Kept{k.Seq, [32]byte(unhex(t, k.Log)), k.N, [32]byte(unhex(t, k.Epoch)), 0}
		}
	}
	if v.Member != nil {
		keys := importKeys(t, *v.Member)
		a.member = &keys
	}
	for _, d := range v.Departments {
		a.departments = append(a.departments, importKeys(t, d))
	}
	if v.PayloadType != 0 {
		a.payload = &Payload{Type: byte(v.PayloadType), Text: v.Text}
		if len(v.Marks) == 2 {
			a.payload.Delivered, a.payload.Read = v.Marks[0], v.Marks[1]
		}
		for _, f := range v.Fields {
			a.payload.Fields = append(a.payload.Fields, Field(f))
		}
	}
	if v.LogAfter != "" {
		a.logAfter = [32]byte(unhex(t, v.LogAfter))
	}
	if v.Hash != "" && hashOf(a.input) != [32]byte(unhex(t, v.Hash)) {
		t.Errorf("the hash of the input is not %s", v.Hash)
	}
	return a
}
