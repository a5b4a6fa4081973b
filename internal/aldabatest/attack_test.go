package aldabatest

import (
	"bytes"
	"context"
	"crypto/hpke"
	"math"
	"net/http"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/aldaba-chat/aldaba/internal/chat"
	"github.com/aldaba-chat/aldaba/internal/seal"
	"github.com/aldaba-chat/aldaba/internal/wire"
)

// A sender that hangs up while its message is committed costs nobody the
// conversation: what was stored is known, and the next message is taken.
func TestSenderHangsUp(t *testing.T) {
	w := Start(t)
	visitor, ana := w.Visitor(), w.Agent("Ana")
	ana.Accepts(visitor)
	for i := range 60 {
		visitor.Catches()
		entry, err := visitor.Seat.Say(seal.Payload{Type: seal.TypeText, Text: "corta"}, now())
		w.must(err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i*15)*time.Microsecond)
		r := w.NewRequest(ctx, Chat, http.MethodPost, visitor.path(), visitor.Cookie, bytes.NewReader(wire.AppendList(nil, entry)))
		if answer, err := http.DefaultClient.Do(r); err == nil {
			w.must(answer.Body.Close())
		}
		cancel()
		status, _, problem := w.Request(visitor.host, http.MethodPost, visitor.path(), visitor.Cookie, entry)
		if status >= http.StatusBadRequest {
			t.Fatalf("after %d hang-ups the message is refused: %+v", i+1, problem)
		}
	}
	visitor.Says("sigue")
	ana.Catches()
	if last := ana.read[len(ana.read)-1]; last != "sigue" || len(ana.read) != 61 {
		t.Errorf("%d messages, the last %q", len(ana.read), last)
	}
}

// Key objects that nobody named do not get in, wherever they come with.
func TestForeignKeyObjects(t *testing.T) {
	w := Start(t)
	visitor, ana, luis := w.Visitor(), w.Agent("Ana"), w.Agent("Luis")
	ana.Accepts(visitor)
	visitor.Catches()
	bundle := len(w.List(Console, http.MethodGet, "/v1/trust", ""))

	junk := func(owner [32]byte) []byte {
		t.Helper()
		keys := seal.Keys{Owner: owner, Sign: visitor.Keys.Sign, KEM: map[[32]byte]hpke.PrivateKey{}}
		o, err := keys.NewKeyObject(visitor.Trust, now(), now()+seal.Day)
		w.must(err)
		return o.Bytes()
	}
	dept, keyObject, err := visitor.Trust.DepartmentKeys(Dept, now())
	w.must(err)
	epoch, wraps, err := visitor.Seat.Change(seal.ReasonRekey, nil, now()+2*seal.Minute)
	w.must(err)
	w.refuses("an epoch with a key object of the department", visitor.host, http.MethodPost, visitor.path(), visitor.Cookie, http.StatusBadRequest, "invalid",
		append([][]byte{epoch, junk(dept.Hash())}, wraps...)...)

	p := &Person{World: w, host: Chat}
	p.learn()
	seat, objects, err := seal.Begin(p.Trust, Dept, now())
	w.must(err)
	p.Keys = seat.Keys()
	objects[1] = junk(dept.Hash())
	proof := seal.NewSession(p.Trust.Org(), p.challenge(), p.Keys, now())
	w.refuses("a conversation that brings one", Chat, http.MethodPost, "/v1/conversations", "", http.StatusBadRequest, "invalid", append([][]byte{proof}, objects...)...)

	w.refuses("a device that brings the department's", luis.host, http.MethodPost, "/v1/keyobjects", luis.Cookie, http.StatusUnprocessableEntity, "bad_keyobj", keyObject.Bytes())
	if got := len(w.List(Console, http.MethodGet, "/v1/trust", "")); got != bundle {
		t.Errorf("the public objects were %d and are %d", bundle, got)
	}
	w.Visitor().Says("el departamento sigue teniendo su clave")
}

// An epoch whose time would not hold when it is read again is not taken.
func TestTimeBomb(t *testing.T) {
	w := Start(t)
	visitor, ana := w.Visitor(), w.Agent("Ana")
	ana.Accepts(visitor)
	for _, at := range []uint64{0, now() - 30*seal.Day, now() + seal.Hour, now() + 365*seal.Day} {
		epoch, wraps, err := ana.Seat.Change(seal.ReasonRekey, nil, at)
		w.must(err)
		if status, _, _ := w.Request(ana.host, http.MethodPost, ana.path(), ana.Cookie, append([][]byte{epoch}, wraps...)...); status < http.StatusBadRequest {
			t.Errorf("an epoch at %d is taken", at)
		}
	}
	w.Restart()
	visitor.Proves()
	visitor.Says("aquí sigo")
}

// Who waits longest is not hidden by those who came later, nor are one's own
// conversations.
func TestQueueIsFair(t *testing.T) {
	w := Start(t)
	first, taken, ana := w.Visitor(), w.Visitor(), w.Agent("Ana")
	ana.Accepts(taken)
	for range 205 {
		w.Visitor()
	}
	ana.Proves()
	status, body, problem := w.Request(ana.host, http.MethodGet, "/v1/queue", ana.Cookie)
	if status != http.StatusOK {
		t.Fatalf("%+v", problem)
	}
	var queue struct {
		Conversations []struct {
			Conv  string `json:"conv"`
			State string `json:"state"`
		} `json:"conversations"`
	}
	w.must(json.Unmarshal(body, &queue))
	states := map[string]string{}
	for _, c := range queue.Conversations {
		states[c.Conv] = c.State
	}
	if got := states[wire.Text(first.conv[:])]; got != "waiting" {
		t.Errorf("who waits longest is %q", got)
	}
	if got := states[wire.Text(taken.conv[:])]; got != "mine" {
		t.Errorf("my own is %q", got)
	}
}

// A request that is a day old, or of tomorrow, does not wait for a signature
// [K17].
func TestOldRequests(t *testing.T) {
	w := Start(t)
	p := &Person{World: w, host: Console, Cookie: w.SignIn("Ana", chat.RoleAgent)}
	p.learn()
	for _, at := range []uint64{0, now() - seal.Day - seal.Minute, now() + seal.Day, math.MaxUint32} {
		request, mac := w.request(p, at)
		w.refuses("an old request", Console, http.MethodPost, "/v1/enrolments", p.Cookie, http.StatusUnprocessableEntity, "bad_enrolment", request, mac)
	}
	request, mac := w.request(p, now())
	if status, _, problem := w.Request(Console, http.MethodPost, "/v1/enrolments", p.Cookie, request, mac); status != http.StatusAccepted {
		t.Errorf("a request of now: %+v", problem)
	}
}
