package aldabatest

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aldaba-chat/aldaba/internal/seal"
	"github.com/aldaba-chat/aldaba/internal/wire"
)

// refuses fails unless the request is answered with this status and code, by
// problem details that repeat nothing of what was sent.
func (w *World) refuses(name, method, path, token string, status int, code string, objects ...[]byte) {
	w.T.Helper()
	got, body, problem := w.Request(method, path, token, objects...)
	if got != status || problem.Code != code {
		w.T.Errorf("%s: %d %+v, not %d %s", name, got, problem, status, code)
	}
	if problem.Status != got || problem.Detail == "" {
		w.T.Errorf("%s: the problem is incomplete: %s", name, body)
	}
}

// Every request that needs a session is refused without one [S1].
func TestSessions(t *testing.T) {
	w := Start(t)
	visitor := w.Visitor()
	ana := w.Agent("Ana")
	conv := wire.Text(visitor.conv[:])
	for _, token := range []string{"", "x", strings.Repeat("A", 43), visitor.Token + "A"} {
		w.refuses("entries", http.MethodGet, visitor.path(), token, http.StatusUnauthorized, "no_session")
		w.refuses("append", http.MethodPost, visitor.path(), token, http.StatusUnauthorized, "no_session", []byte{1})
		w.refuses("queue", http.MethodGet, "/v1/queue", token, http.StatusUnauthorized, "no_session")
		w.refuses("department keys", http.MethodGet, "/v1/department-keys", token, http.StatusUnauthorized, "no_session")
		w.refuses("key object", http.MethodPost, "/v1/keyobjects", token, http.StatusUnauthorized, "no_session", []byte{1})
	}
	w.refuses("a visitor's queue", http.MethodGet, "/v1/queue", visitor.Token, http.StatusForbidden, "denied")
	w.refuses("a visitor's department keys", http.MethodGet, "/v1/department-keys", visitor.Token, http.StatusForbidden, "denied")

	proof := func(p *Person, challenge [32]byte) []byte {
		return seal.NewSession(p.Trust.Org(), challenge, p.Keys, now())
	}
	once := proof(visitor, visitor.challenge())
	if status, _, _ := w.Request(http.MethodPost, "/v1/sessions", "", once); status != http.StatusOK {
		t.Fatalf("a right proof: %d", status)
	}
	post := func(name, code string, status int, object []byte) {
		t.Helper()
		w.refuses(name, http.MethodPost, "/v1/sessions", "", status, code, object)
	}
	post("a proof again", "no_session", http.StatusUnauthorized, once)
	post("a challenge of one's own", "no_session", http.StatusUnauthorized, proof(visitor, [32]byte{1}))
	foreign := *ana
	foreign.Keys.Owner = visitor.conv
	post("another's key", "no_session", http.StatusUnauthorized, proof(&foreign, visitor.challenge()))
	foreign.Keys.Owner = [32]byte{7}
	post("nobody", "not_found", http.StatusNotFound, proof(&foreign, visitor.challenge()))
	old := seal.NewSession(visitor.Trust.Org(), visitor.challenge(), visitor.Keys, now()-6*seal.Minute)
	post("an old proof", "no_session", http.StatusUnauthorized, old)
	post("no proof", "bad_length", http.StatusUnprocessableEntity, []byte{1, 13})
	w.refuses("a conversation by another's proof", http.MethodPost, "/v1/conversations", "", http.StatusUnprocessableEntity, "bad_kind",
		once, once, once, once, once)
	_ = conv
}

// A stranger is told that there is nothing; the department's devices may read
// what waits for them [S2].
func TestStrangers(t *testing.T) {
	w := Start(t)
	one, two := w.Visitor(), w.Visitor()
	w.refuses("another visitor reads", http.MethodGet, one.path(), two.Token, http.StatusNotFound, "not_found")
	entry, err := one.Seat.Say(seal.Payload{Type: seal.TypeText, Text: "hola"}, now())
	w.must(err)
	w.refuses("another visitor writes", http.MethodPost, one.path(), two.Token, http.StatusNotFound, "not_found", entry)
	ana := w.Agent("Ana")
	w.refuses("an agent hands in the visitor's entry", http.MethodPost, one.path(), ana.Token, http.StatusUnprocessableEntity, "not_member", entry)
	missing := [32]byte{9}
	w.refuses("no such conversation", http.MethodGet, "/v1/conversations/"+wire.Text(missing[:])+"/entries", one.Token, http.StatusNotFound, "not_found")
	one.Posts(entry, nil, nil)
	ana.Opens(one.conv)
	ana.Sees("hola")
}

// A member is given its own wraps and no other, and no other's seed helps [S7].
func TestOwnWraps(t *testing.T) {
	w := Start(t)
	visitor, ana := w.Visitor(), w.Agent("Ana")
	ana.Accepts(visitor)
	for _, p := range []*Person{visitor, ana} {
		var mine [][32]byte
		for key := range p.Keys.KEM {
			mine = append(mine, key)
		}
		for _, d := range p.departments {
			for key := range d.KEM {
				mine = append(mine, key)
			}
		}
		wraps := 0
		for _, object := range p.List(http.MethodGet, p.path(), p.Token) {
			wrap := new(seal.Wrap)
			if seal.Parse(object, wrap) != nil {
				continue
			}
			wraps++
			if !slices.Contains(mine, wrap.To) {
				t.Error("somebody is given another's wrap")
			}
		}
		if wraps != 2 {
			t.Errorf("%d wraps, not 2", wraps)
		}
	}
}

// Of two epochs that follow the same one, one is taken [S3]. A wrap that is
// missing, changed or too many is refused [S4]. The same bytes again get the
// first answer; another event with the same msg_id does not come in [S5].
func TestRacesAndRetries(t *testing.T) {
	w := Start(t)
	visitor := w.Visitor()
	ana, luis := w.Agent("Ana"), w.Agent("Luis")
	ana.Opens(visitor.conv)
	luis.Opens(visitor.conv)
	first, firstWraps, err := ana.Seat.Accept(ana.keyObject, now())
	w.must(err)
	second, secondWraps, err := luis.Seat.Accept(luis.keyObject, now())
	w.must(err)

	list := func(entry []byte, wraps ...[]byte) [][]byte { return append([][]byte{entry}, wraps...) }
	changed := bytes.Clone(firstWraps[0])
	changed[len(changed)-1] ^= 1
	for name, wraps := range map[string][][]byte{
		"no wraps": nil, "a wrap is missing": firstWraps[1:], "a wrap twice": {firstWraps[0], firstWraps[0]},
		"another order": {firstWraps[1], firstWraps[0]}, "a changed wrap": {changed, firstWraps[1]},
		"one too many": append(slices.Clone(firstWraps), firstWraps[0]),
	} {
		w.refuses(name, http.MethodPost, ana.path(), ana.Token, http.StatusUnprocessableEntity, "wrap_set", list(first, wraps...)...)
	}
	ana.Posts(first, firstWraps, nil)
	w.refuses("the loser", http.MethodPost, luis.path(), luis.Token, http.StatusConflict, "conflict", list(second, secondWraps...)...)

	visitor.Catches()
	entry, err := visitor.Seat.Say(seal.Payload{Type: seal.TypeText, Text: "una vez"}, now())
	w.must(err)
	status, answer, _ := w.Request(http.MethodPost, visitor.path(), visitor.Token, entry)
	again, repeated, _ := w.Request(http.MethodPost, visitor.path(), visitor.Token, entry)
	if status != http.StatusCreated || again != http.StatusOK || !bytes.Equal(answer, repeated) {
		t.Errorf("a retry: %d %s, then %d %s", status, answer, again, repeated)
	}
	other := bytes.Clone(entry)
	other[len(other)-1] ^= 1
	w.refuses("the same msg_id, other bytes", http.MethodPost, visitor.path(), visitor.Token, http.StatusConflict, "conflict", other)
	ana.Sees("una vez")
}

// Many write at once, and every reader sees the same dense log [S6].
func TestManyWriters(t *testing.T) {
	w := Start(t)
	visitor, ana := w.Visitor(), w.Agent("Ana")
	ana.Accepts(visitor)
	visitor.Catches()
	const each = 20
	seqs := make(chan int, 2*each)
	var writers sync.WaitGroup
	for _, p := range []*Person{visitor, ana} {
		var entries [][]byte
		for range each {
			entry, err := p.Seat.Say(seal.Payload{Type: seal.TypeText, Text: "x"}, now())
			w.must(err)
			entries = append(entries, entry)
		}
		writers.Go(func() {
			for _, entry := range entries {
				if status, body, problem := w.Request(http.MethodPost, p.path(), p.Token, entry); status != http.StatusCreated {
					t.Errorf("an entry among many: %+v %s", problem, body)
				}
				seqs <- 1
			}
		})
	}
	writers.Wait()
	visitor.Catches()
	ana.Catches()
	if len(visitor.read) != 2*each || visitor.Seat.Log() != ana.Seat.Log() {
		t.Errorf("%d texts of %d; hashes equal: %v", len(visitor.read), 2*each, visitor.Seat.Log() == ana.Seat.Log())
	}
}

// After a close nothing comes in but the visitor's epoch that opens it again [S8].
func TestClosed(t *testing.T) {
	w := Start(t)
	visitor, ana := w.Visitor(), w.Agent("Ana")
	ana.Accepts(visitor)
	visitor.Catches()
	late, err := visitor.Seat.Say(seal.Payload{Type: seal.TypeText, Text: "tarde"}, now())
	w.must(err)
	ana.Closes()
	w.refuses("a message after the close", http.MethodPost, visitor.path(), visitor.Token, http.StatusUnprocessableEntity, "closed", late)
	rekey, wraps, err := ana.Seat.Change(seal.ReasonReopen, nil, now())
	w.must(err)
	w.refuses("an agent opens it again", http.MethodPost, ana.path(), ana.Token, http.StatusUnprocessableEntity, "closed", append([][]byte{rekey}, wraps...)...)
	visitor.Catches()
	reopen, wraps, err := visitor.Seat.Change(seal.ReasonReopen, nil, now())
	visitor.Posts(reopen, wraps, err)
	visitor.Says("otra cosa")
	ana.Sees("otra cosa")
}

// Bad input gets a refusal with field, limit or rule, and nothing else breaks.
func TestBadInput(t *testing.T) {
	w := Start(t)
	visitor := w.Visitor()
	path := visitor.path()
	big := make([]byte, 70<<10)
	w.refuses("a large body", http.MethodPost, path, visitor.Token, http.StatusRequestEntityTooLarge, "too_large", big)
	w.refuses("an empty list", http.MethodPost, path, visitor.Token, http.StatusBadRequest, "invalid")
	w.refuses("many objects", http.MethodPost, path, visitor.Token, http.StatusRequestEntityTooLarge, "too_large", make([][]byte, 41)...)
	w.refuses("no entry", http.MethodPost, path, visitor.Token, http.StatusUnprocessableEntity, "bad_kind", []byte{1, 9, 0x64, 0x7a})
	w.refuses("a short event", http.MethodPost, path, visitor.Token, http.StatusUnprocessableEntity, "bad_length", []byte{1, 3, 0x64, 0x7a})
	w.refuses("a bad place", http.MethodGet, path+"?after=-1", visitor.Token, http.StatusBadRequest, "invalid")
	w.refuses("a bad place", http.MethodGet, path+"?after=99999999999999999999", visitor.Token, http.StatusBadRequest, "invalid")
	w.refuses("a bad name", http.MethodGet, "/v1/conversations/x/entries", visitor.Token, http.StatusBadRequest, "invalid")
	w.refuses("no request", http.MethodGet, "/v1/enrolments/"+strings.Repeat("A", 43), "", http.StatusNotFound, "not_found")
	w.refuses("a request of zeros", http.MethodPost, "/v1/enrolments", "", http.StatusUnprocessableEntity, "bad_length", []byte{}, []byte{})
	visitor.Says("sigue en pie")

	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.Base+"/v1/challenges", http.NoBody)
	w.must(err)
	r.Header.Set("Origin", "http://evil.example")
	answer, err := http.DefaultClient.Do(r)
	w.must(err)
	w.must(answer.Body.Close())
	if answer.StatusCode != http.StatusForbidden {
		t.Errorf("another origin gets %d", answer.StatusCode)
	}
}

// A device whose certificate is revoked has no session any more, at once [S1].
func TestRevokedDevice(t *testing.T) {
	w := Start(t)
	visitor, ana := w.Visitor(), w.Agent("Ana")
	ana.Accepts(visitor)
	w.must(w.server.Office().Revoke(t.Context(), ana.Keys.Owner))
	w.refuses("a revoked device reads", http.MethodGet, ana.path(), ana.Token, http.StatusUnprocessableEntity, "revoked")
	proof := seal.NewSession(ana.Trust.Org(), ana.challenge(), ana.Keys, now())
	w.refuses("a revoked device proves", http.MethodPost, "/v1/sessions", "", http.StatusUnprocessableEntity, "revoked", proof)
	visitor.Says("¿sigue ahí?")
}
