package aldabatest

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/aldaba-chat/aldaba/internal/chat"
	"github.com/aldaba-chat/aldaba/internal/seal"
	"github.com/aldaba-chat/aldaba/internal/wire"
)

// refuses fails unless the request is answered with this status and code, by
// problem details that repeat nothing of what was sent.
func (w *World) refuses(name, host, method, path, cookie string, status int, code string, objects ...[]byte) {
	w.T.Helper()
	got, body, problem := w.Request(host, method, path, cookie, objects...)
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
	for _, cookie := range []string{"", "x", strings.Repeat("A", 43), "A" + visitor.Cookie} {
		w.refuses("entries", Chat, http.MethodGet, visitor.path(), cookie, http.StatusUnauthorized, "no_session")
		w.refuses("append", Chat, http.MethodPost, visitor.path(), cookie, http.StatusUnauthorized, "no_session", []byte{1})
		w.refuses("queue", Console, http.MethodGet, "/v1/queue", cookie, http.StatusUnauthorized, "no_session")
		w.refuses("department keys", Console, http.MethodGet, "/v1/department-keys", cookie, http.StatusUnauthorized, "no_session")
		w.refuses("key object", Console, http.MethodPost, "/v1/keyobjects", cookie, http.StatusUnauthorized, "no_session", []byte{1})
	}
	// What is a device's is not there for visitors, and their cookies are nobody's on the other host.
	for _, path := range []string{"/v1/queue", "/v1/department-keys"} {
		if status, _, _ := w.Request(Chat, http.MethodGet, path, visitor.Cookie); status != http.StatusNotFound {
			t.Errorf("%s on the visitors' host: %d", path, status)
		}
		w.refuses("a visitor's "+path, Console, http.MethodGet, path, visitor.Cookie, http.StatusUnauthorized, "no_session")
	}

	proof := func(p *Person, challenge [32]byte) []byte {
		return seal.NewSession(p.Trust.Org(), challenge, p.Keys, now())
	}
	once := proof(visitor, visitor.challenge())
	if status, _, _ := w.Request(Chat, http.MethodPost, "/v1/sessions", "", once); status != http.StatusOK {
		t.Fatalf("a right proof: %d", status)
	}
	post := func(name, code string, status int, object []byte) {
		t.Helper()
		w.refuses(name, Chat, http.MethodPost, "/v1/sessions", "", status, code, object)
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
	w.refuses("a conversation by another's proof", Chat, http.MethodPost, "/v1/conversations", "", http.StatusUnprocessableEntity, "bad_kind",
		once, once, once, once, once)
}

// A device's key is good only beside the account that it belongs to, and no
// longer than that one is signed in [S60a].
func TestDevicesBelongToAccounts(t *testing.T) {
	w := Start(t)
	ana := w.Agent("Ana")
	proof := func() []byte { return seal.NewSession(ana.Trust.Org(), ana.challenge(), ana.Keys, now()) }
	w.refuses("nobody is signed in", Console, http.MethodPost, "/v1/sessions", "", http.StatusUnauthorized, "not_signed_in", proof())
	w.refuses("somebody else is", Console, http.MethodPost, "/v1/sessions", w.SignIn("Luis", chat.RoleAgent), http.StatusForbidden, "device_of_another", proof())
	w.refuses("a request of nobody", Console, http.MethodPost, "/v1/enrolments", "", http.StatusUnauthorized, "not_signed_in", []byte{}, []byte{})

	w.List(Console, http.MethodGet, "/v1/department-keys", ana.Cookie)
	_, staff, _ := strings.Cut(ana.Cookie, "__Host-aldaba-staff=")
	w.must(w.server.Staff().SignOut(t.Context(), staff))
	w.refuses("after the sign-out", Console, http.MethodGet, "/v1/department-keys", ana.Cookie, http.StatusUnauthorized, "no_session")
	w.refuses("a proof after it", Console, http.MethodPost, "/v1/sessions", ana.Cookie, http.StatusUnauthorized, "not_signed_in", proof())

	ana.Cookie = w.SignIn("Ana", chat.RoleAgent)
	ana.Proves()
	account, err := w.server.Staff().Find(t.Context(), "ana")
	w.must(err)
	w.must(w.server.Staff().Suspend(t.Context(), account.ID))
	w.refuses("while suspended", Console, http.MethodGet, "/v1/department-keys", ana.Cookie, http.StatusUnauthorized, "no_session")
}

// A device keeps its signature key when its certificate is renewed, and its
// leaves the certificate that they came with: it goes on in what it has open,
// until that certificate is revoked [S2, E8, K12].
func TestRenewedCertificate(t *testing.T) {
	w := Start(t)
	visitor, ana := w.Visitor(), w.Agent("Ana")
	ana.Accepts(visitor)
	_, err := w.office.Renew(now(), true)
	w.must(err)
	w.Round()
	ana.learn()
	visitor.learn()
	certificate := new(seal.Certificate)
	answer := w.List(Console, http.MethodGet, "/v1/enrolments/"+wire.Text(ana.enrolment[:]), "")
	w.must(seal.Parse(answer[0], certificate))
	w.must(ana.Trust.Add(answer[0]))
	old := ana.Keys
	if certificate.Hash() == old.Owner {
		t.Fatal("the certificate was not renewed")
	}
	// From here on its session is the new certificate's.
	ana.Keys.Owner, ana.Cookie = certificate.Hash(), w.SignIn("Ana", chat.RoleAgent)
	ana.Proves()
	ana.Says("sigo aquí")
	visitor.Sees("sigo aquí")
	if status, _, problem := w.Request(Console, http.MethodPost, strings.TrimSuffix(ana.path(), "entries")+"typing", ana.Cookie); status != http.StatusNoContent {
		t.Errorf("typing: %+v", problem)
	}
	late, err := ana.Seat.Say(seal.Payload{Type: seal.TypeText, Text: "tarde"}, now())
	w.must(err)
	w.must(w.server.Office().Revoke(t.Context(), old.Owner))
	w.refuses("with the old one revoked", Console, http.MethodPost, ana.path(), ana.Cookie, http.StatusNotFound, "not_found", late)
}

// A ticket opens one connection, of the key that the browser has proven.
func TestTickets(t *testing.T) {
	w := Start(t)
	visitor, ana := w.Visitor(), w.Agent("Ana")
	of := func(p *Person, path string) string {
		t.Helper()
		status, body, problem := w.Request(p.host, http.MethodPost, path, p.Cookie)
		if status != http.StatusOK {
			t.Fatalf("%s: %+v", path, problem)
		}
		var answer struct {
			Ticket string `json:"ticket"`
		}
		w.must(json.Unmarshal(body, &answer))
		return answer.Ticket
	}
	mine := "/v1/tickets?conv=" + wire.Text(visitor.conv[:])
	for _, c := range []struct {
		ticket  string
		owner   [32]byte
		visitor bool
	}{{of(visitor, mine), visitor.conv, true}, {of(ana, "/v1/tickets"), ana.Keys.Owner, false}} {
		owner, isVisitor, err := w.server.Owner(c.ticket)
		if err != nil || owner != c.owner || isVisitor != c.visitor {
			t.Errorf("a ticket: %x %v %v", owner, isVisitor, err)
		}
		if _, _, err := w.server.Owner(c.ticket); err == nil {
			t.Error("a ticket is good twice")
		}
	}
	w.refuses("a visitor asks for a device's", Chat, http.MethodPost, "/v1/tickets", visitor.Cookie, http.StatusUnauthorized, "no_session")
	w.refuses("a stranger", Chat, http.MethodPost, mine, "", http.StatusUnauthorized, "no_session")
	w.refuses("no conversation", Chat, http.MethodPost, "/v1/tickets?conv=x", visitor.Cookie, http.StatusBadRequest, "invalid")
	last := of(ana, "/v1/tickets")
	w.must(w.server.Office().Revoke(t.Context(), ana.Keys.Owner))
	if _, _, err := w.server.Owner(last); err == nil {
		t.Error("a ticket outlives its certificate")
	}
}

// The cookie is for its host alone, and no script reads it; a browser that
// brings a value of its own gets another [S1].
func TestCookies(t *testing.T) {
	w := Start(t)
	for host, want := range map[string]string{
		Chat:    "; Path=/; HttpOnly; Secure; SameSite=None; Partitioned",
		Console: "; Path=/; HttpOnly; Secure; SameSite=Strict",
	} {
		var p *Person
		if p = w.Visitor(); host == Console {
			p = w.Agent("Ana")
		}
		proof := seal.NewSession(p.Trust.Org(), p.challenge(), p.Keys, now())
		r := w.NewRequest(t.Context(), host, http.MethodPost, "/v1/sessions", strings.Repeat("A", 43)+p.Cookie[strings.IndexByte(p.Cookie+";", ';'):], bytes.NewReader(wire.AppendList(nil, proof)))
		answer, err := http.DefaultClient.Do(r)
		w.must(err)
		w.must(answer.Body.Close())
		set := answer.Header.Get("Set-Cookie")
		if !strings.HasPrefix(set, "__Host-aldaba=") || !strings.HasSuffix(set, want) || strings.Contains(set, "AAAAAA") {
			t.Errorf("%s sets %q, which should end with %q", host, set, want)
		}
	}
}

// A stranger is told that there is nothing; the department's devices may read
// what waits for them [S2].
func TestStrangers(t *testing.T) {
	w := Start(t)
	one, two := w.Visitor(), w.Visitor()
	w.refuses("another visitor reads", two.host, http.MethodGet, one.path(), two.Cookie, http.StatusUnauthorized, "no_session")
	entry, err := one.Seat.Say(seal.Payload{Type: seal.TypeText, Text: "hola"}, now())
	w.must(err)
	w.refuses("another visitor writes", two.host, http.MethodPost, one.path(), two.Cookie, http.StatusUnauthorized, "no_session", entry)
	ana := w.Agent("Ana")
	w.refuses("an agent hands in the visitor's entry", ana.host, http.MethodPost, one.path(), ana.Cookie, http.StatusNotFound, "not_found", entry)
	missing := [32]byte{9}
	w.refuses("no such conversation", one.host, http.MethodGet, "/v1/conversations/"+wire.Text(missing[:])+"/entries", one.Cookie, http.StatusUnauthorized, "no_session")
	one.Posts(entry, nil, nil)
	ana.Opens(one.conv)
	ana.Sees("hola")
}

// Of what a colleague has accepted, others of the department hear who was first
// and read nothing; whoever watches over the department reads only as a member,
// and another's conversation looks as one that is not there [S2, S3, S7] (T05).
func TestColleagues(t *testing.T) {
	w := Start(t)
	visitor, ana, luis, marta := w.Visitor(), w.Agent("Ana"), w.Agent("Luis"), w.Supervisor("Marta")
	visitor.Says("para quien acepte")
	nothing := func(who string, p *Person) {
		t.Helper()
		missing := [32]byte{9}
		_, foreign, _ := w.Request(p.host, http.MethodGet, visitor.path(), p.Cookie)
		_, none, _ := w.Request(p.host, http.MethodGet, "/v1/conversations/"+wire.Text(missing[:])+"/entries", p.Cookie)
		w.refuses(who, p.host, http.MethodGet, visitor.path(), p.Cookie, http.StatusNotFound, "not_found")
		if !bytes.Equal(foreign, none) {
			t.Errorf("%s is told %s of another's conversation and %s of none", who, foreign, none)
		}
	}
	nothing("a supervisor, of what waits", marta)
	ana.Accepts(visitor)
	ana.Says("solo para usted")
	nothing("a supervisor, of what is answered", marta)

	var kinds []seal.Kind
	for _, object := range w.List(luis.host, http.MethodGet, visitor.path(), luis.Cookie) {
		switch kind := seal.KindOf(object); kind {
		case seal.KindWrap:
			t.Error("a colleague is given a wrap")
		case seal.KindGenesis, seal.KindEpoch, seal.KindEvent:
			kinds = append(kinds, kind)
		}
	}
	if want := []seal.Kind{seal.KindGenesis, seal.KindEpoch, seal.KindEvent, seal.KindEpoch}; !slices.Equal(kinds, want) {
		t.Errorf("a colleague is given %v, not %v", kinds, want)
	}
	entry, err := visitor.Seat.Say(seal.Payload{Type: seal.TypeText, Text: "otra"}, now())
	w.must(err)
	w.refuses("a colleague hands in the visitor's entry", luis.host, http.MethodPost, visitor.path(), luis.Cookie, http.StatusNotFound, "not_found", entry)
	visitor.Catches()
	ana.Sees("para quien acepte", "solo para usted")
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
		for _, object := range p.List(p.host, http.MethodGet, p.path(), p.Cookie) {
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
		w.refuses(name, ana.host, http.MethodPost, ana.path(), ana.Cookie, http.StatusUnprocessableEntity, "wrap_set", list(first, wraps...)...)
	}
	ana.Posts(first, firstWraps, nil)
	w.refuses("the loser", luis.host, http.MethodPost, luis.path(), luis.Cookie, http.StatusConflict, "conflict", list(second, secondWraps...)...)

	visitor.Catches()
	entry, err := visitor.Seat.Say(seal.Payload{Type: seal.TypeText, Text: "una vez"}, now())
	w.must(err)
	status, answer, _ := w.Request(visitor.host, http.MethodPost, visitor.path(), visitor.Cookie, entry)
	again, repeated, _ := w.Request(visitor.host, http.MethodPost, visitor.path(), visitor.Cookie, entry)
	if status != http.StatusCreated || again != http.StatusOK || !bytes.Equal(answer, repeated) {
		t.Errorf("a retry: %d %s, then %d %s", status, answer, again, repeated)
	}
	other := bytes.Clone(entry)
	other[len(other)-1] ^= 1
	w.refuses("the same msg_id, other bytes", visitor.host, http.MethodPost, visitor.path(), visitor.Cookie, http.StatusConflict, "conflict", other)
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
				if status, body, problem := w.Request(p.host, http.MethodPost, p.path(), p.Cookie, entry); status != http.StatusCreated {
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

// After a close nothing comes in but an epoch that opens it again, by the
// visitor or the agent [S8].
func TestClosed(t *testing.T) {
	w := Start(t)
	visitor, ana := w.Visitor(), w.Agent("Ana")
	ana.Accepts(visitor)
	visitor.Catches()
	late, err := visitor.Seat.Say(seal.Payload{Type: seal.TypeText, Text: "tarde"}, now())
	w.must(err)
	ana.Closes()
	w.refuses("a message after the close", visitor.host, http.MethodPost, visitor.path(), visitor.Cookie, http.StatusUnprocessableEntity, "closed", late)
	rekey, wraps, err := ana.Seat.Change(seal.ReasonRekey, nil, now())
	w.must(err)
	w.refuses("an agent's rekey after the close", ana.host, http.MethodPost, ana.path(), ana.Cookie, http.StatusUnprocessableEntity, "closed", append([][]byte{rekey}, wraps...)...)
	visitor.Catches()
	reopen, wraps, err := visitor.Seat.Change(seal.ReasonReopen, nil, now())
	visitor.Posts(reopen, wraps, err)
	visitor.Says("otra cosa")
	ana.Sees("otra cosa")
	ana.Closes()
	reopen, wraps, err = ana.Seat.Change(seal.ReasonReopen, nil, now())
	ana.Posts(reopen, wraps, err)
	ana.Says("algo más")
	visitor.Sees("otra cosa", "algo más")
}

// Who comes later reads what was said before by a grant of a member that was
// there, which only that member hands in and everybody sees [R1, R2, R3, R6].
func TestGrants(t *testing.T) {
	w := Start(t)
	visitor, ana, luis := w.Visitor(), w.Agent("Ana"), w.Agent("Luis")
	ana.Accepts(visitor)
	visitor.Catches()
	visitor.Says("antes de Luis")
	ana.Catches()
	more, err := visitor.Seat.Give(2, 0, 0, now())
	w.must(err)
	ana.BringsIn(luis)
	luis.Opens(visitor.conv)
	luis.Sees()
	leaf, _ := luis.Seat.Leaf()
	grant, err := ana.Seat.Give(leaf, 1, 1, now())
	w.must(err)
	refuses := func(name string, p *Person, code string, objects ...[]byte) {
		t.Helper()
		w.refuses(name, p.host, http.MethodPost, p.path(), p.Cookie, http.StatusUnprocessableEntity, code, objects...)
	}
	refuses("a grant that another hands in", luis, "grant_right", grant)
	refuses("a grant that is cut", ana, "bad_length", grant[:len(grant)-1])
	forged := bytes.Clone(grant)
	forged[len(forged)-1] ^= 1
	refuses("a grant with another signature", ana, "grant_sig", forged)
	refuses("a grant made in an epoch that is over", visitor, "epoch_stale", more)
	w.refuses("a grant with a wrap", ana.host, http.MethodPost, ana.path(), ana.Cookie, http.StatusBadRequest, "invalid", grant, []byte{1, 14, 0x64, 0x7a})
	long := new(seal.Grant)
	w.must(seal.Parse(grant, long))
	long.From, long.To, long.Ciphertext = 0, 1999, make([]byte, 64016)
	seal.Sign(long, ana.Trust.Org(), nil, ana.Keys.Sign)
	refuses("the longest grant, of epochs that are not there", ana, "grant_right", long.Bytes())
	ana.Posts(grant, nil, nil)
	if status, _, _ := w.Request(ana.host, http.MethodPost, ana.path(), ana.Cookie, grant); status != http.StatusOK {
		t.Errorf("the same grant again: %d", status)
	}
	luis.Sees("antes de Luis")
	visitor.Sees("antes de Luis")
}

// Bad input gets a refusal with field, limit or rule, and nothing else breaks.
func TestBadInput(t *testing.T) {
	w := Start(t)
	visitor := w.Visitor()
	path := visitor.path()
	big := make([]byte, 70<<10)
	w.refuses("a large body", visitor.host, http.MethodPost, path, visitor.Cookie, http.StatusRequestEntityTooLarge, "too_large", big)
	w.refuses("an empty list", visitor.host, http.MethodPost, path, visitor.Cookie, http.StatusBadRequest, "invalid")
	w.refuses("many objects", visitor.host, http.MethodPost, path, visitor.Cookie, http.StatusRequestEntityTooLarge, "too_large", make([][]byte, 41)...)
	w.refuses("no entry", visitor.host, http.MethodPost, path, visitor.Cookie, http.StatusUnprocessableEntity, "bad_kind", []byte{1, 9, 0x64, 0x7a})
	w.refuses("a short event", visitor.host, http.MethodPost, path, visitor.Cookie, http.StatusUnprocessableEntity, "bad_length", []byte{1, 3, 0x64, 0x7a})
	w.refuses("a bad place", Chat, http.MethodGet, path+"?after=-1", visitor.Cookie, http.StatusBadRequest, "invalid")
	w.refuses("a bad place", Chat, http.MethodGet, path+"?after=99999999999999999999", visitor.Cookie, http.StatusBadRequest, "invalid")
	w.refuses("a bad name", visitor.host, http.MethodGet, "/v1/conversations/x/entries", visitor.Cookie, http.StatusBadRequest, "invalid")
	w.refuses("no request", Console, http.MethodGet, "/v1/enrolments/"+strings.Repeat("A", 43), "", http.StatusNotFound, "not_found")
	w.refuses("a request of zeros", Console, http.MethodPost, "/v1/enrolments", w.SignIn("Eva", chat.RoleAgent), http.StatusUnprocessableEntity, "bad_length", []byte{}, []byte{})
	visitor.Says("sigue en pie")

	for _, origin := range []string{"http://evil.example", "http://" + w.Host(Console), "https://" + w.Host(Chat), "null", ""} {
		r := w.NewRequest(t.Context(), Chat, http.MethodPost, "/v1/challenges", "", http.NoBody)
		r.Header.Del("Origin")
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		answer, err := http.DefaultClient.Do(r)
		w.must(err)
		w.must(answer.Body.Close())
		if answer.StatusCode != http.StatusForbidden {
			t.Errorf("the origin %q gets %d", origin, answer.StatusCode)
		}
	}
}

// A device whose certificate is revoked has no session any more, at once [S1].
func TestRevokedDevice(t *testing.T) {
	w := Start(t)
	visitor, ana := w.Visitor(), w.Agent("Ana")
	ana.Accepts(visitor)
	w.must(w.server.Office().Revoke(t.Context(), ana.Keys.Owner))
	w.refuses("a revoked device reads", ana.host, http.MethodGet, ana.path(), ana.Cookie, http.StatusUnprocessableEntity, "revoked")
	proof := seal.NewSession(ana.Trust.Org(), ana.challenge(), ana.Keys, now())
	w.refuses("a revoked device proves", Console, http.MethodPost, "/v1/sessions", "", http.StatusUnprocessableEntity, "revoked", proof)
	visitor.Says("¿sigue ahí?")
}
