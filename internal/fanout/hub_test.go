package fanout

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// memory is a log in memory. The genesis of a conversation is its entry 0.
type memory struct {
	mu      sync.Mutex
	entries map[[32]byte][][]byte
	broken  bool
	reads   atomic.Int64 // of Since
}

var errBroken = errors.New("the log is broken")

func (m *memory) Since(_ context.Context, conv [32]byte, after uint64, limit int) ([]Publication, error) {
	m.reads.Add(1)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken {
		return nil, errBroken
	}
	var found []Publication
	for seq := after + 1; seq < uint64(len(m.entries[conv])) && len(found) < limit; seq++ {
		found = append(found, Publication{Seq: seq, Object: m.entries[conv][seq]})
	}
	return found, nil
}

func (m *memory) Top(_ context.Context, conv [32]byte) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken || len(m.entries[conv]) == 0 {
		return 0, errBroken
	}
	return uint64(len(m.entries[conv]) - 1), nil
}

func (m *memory) fail(broken bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.broken = broken
}

// add commits an entry and gives its sequence.
func (m *memory) add(conv [32]byte, object []byte) uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.entries[conv] = append(m.entries[conv], object)
	return uint64(len(m.entries[conv]) - 1)
}

// world is a hub behind a real server. Tokens are "owner" and a letter; a token
// that begins with "visitor" is a visitor's. Everybody may read conversations
// that begin with 1 and watch departments that begin with 1.
type world struct {
	t       testing.TB
	log     *memory
	hub     *Hub
	server  *httptest.Server
	mu      sync.Mutex
	refused map[string]bool   // tokens
	barred  map[[32]byte]bool // owners who may read nothing any more
	during  func()            // runs while a session is looked up
	here    map[string]int    // connections, by token
	moved   chan string       // who came or went
}

func start(t testing.TB, change func(*limits)) *world {
	t.Helper()
	w := &world{t: t, log: &memory{entries: map[[32]byte][][]byte{}}, refused: map[string]bool{"bad": true}, barred: map[[32]byte]bool{}, here: map[string]int{}, moved: make(chan string, 16)}
	l := productLimits
	if change != nil {
		change(&l)
	}
	var err error
	w.hub, err = newHub(Options{
		Log: w.log,
		Session: func(token string) (Session, error) {
			w.mu.Lock()
			refused, during := w.refused[token], w.during
			w.mu.Unlock()
			if during != nil {
				during()
			}
			if refused || token == "" {
				return Session{}, errors.New("no such session")
			}
			return Session{Owner: owner(token), Visitor: strings.HasPrefix(token, "visitor")}, nil
		},
		MayRead: func(_ context.Context, s Session, conv [32]byte) bool {
			w.mu.Lock()
			defer w.mu.Unlock()
			return conv[0] == 1 && !w.barred[s.Owner]
		},
		MayWatch:     func(_ context.Context, s Session, dept [16]byte) bool { return dept[0] == 1 && !s.Visitor },
		Connected:    func(s Session) { w.count(s, 1) },
		Disconnected: func(s Session) { w.count(s, -1) },
		Logger:       slog.New(slog.DiscardHandler),
	}, l)
	if err != nil {
		t.Fatal(err)
	}
	w.server = httptest.NewServer(w.hub.WebSocket())
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := w.hub.Stop(ctx); err != nil {
			t.Error(err)
		}
		w.server.Close()
	})
	return w
}

// count keeps how many connections an owner has.
func (w *world) count(s Session, by int) {
	token := strings.TrimRight(string(s.Owner[:]), "\x00")
	w.mu.Lock()
	w.here[token] += by
	now := fmt.Sprintf("%s %d", token, w.here[token])
	w.mu.Unlock()
	select {
	case w.moved <- now:
	default: // most tests do not listen
	}
}

func owner(token string) (o [32]byte) {
	copy(o[:], token)
	return o
}

// begin commits a genesis.
func (w *world) begin(n byte) [32]byte {
	conv := [32]byte{1, n}
	w.log.add(conv, []byte("genesis"))
	return conv
}

// say commits an entry and publishes it, as the conversation does.
func (w *world) say(conv [32]byte, text string) {
	w.hub.Publish(conv, w.log.add(conv, []byte(text)), []byte(text))
}

func (w *world) connected(token string) *socket {
	w.t.Helper()
	s := dial(w.t, w.server)
	s.connect(token)
	return s
}

func subscribe(channel string) string { return `"subscribe":{"channel":"` + channel + `"}` }

func recover(channel string, offset int) string {
	return fmt.Sprintf(`"subscribe":{"channel":"%s","recover":true,"offset":%d,"epoch":"log"}`, channel, offset)
}

func text(t testing.TB, p publication) string {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(p.Data.O)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(p.Offset, " ", string(b))
}

func texts(t testing.TB, all []publication) []string {
	t.Helper()
	var said []string
	for _, p := range all {
		said = append(said, text(t, p))
	}
	return said
}

// heard waits for n publications of a channel.
func (s *socket) heard(channel string, n int) []string {
	s.t.Helper()
	var said []string
	for len(said) < n {
		p := s.push()
		if p.Channel != channel || p.Pub == nil {
			s.t.Fatalf("got %+v, want a publication of %s", p, channel)
		}
		said = append(said, text(s.t, *p.Pub))
	}
	return said
}

func equal(t testing.TB, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestConnect_BadToken(t *testing.T) {
	w := start(t, nil)
	for _, token := range []string{"bad", ""} {
		s := dial(t, w.server)
		s.write(`{"id":1,"connect":{"token":"` + token + `"}}`)
		equal(t, "close of "+token, s.end().code, 3500)
	}
	s := dial(t, w.server) // a command before the session
	s.write(`{"id":1,` + subscribe(conversationChannel(w.begin(1))) + `}`)
	equal(t, "close", s.end().code, 3501)
}

func TestConnect_Silent(t *testing.T) {
	w := start(t, func(l *limits) { l.connect = 50 * time.Millisecond })
	equal(t, "close", dial(t, w.server).end().code, 3502)
}

func TestConnect_NoPong(t *testing.T) {
	w := start(t, func(l *limits) { l.ping, l.pong = 200*time.Millisecond, 100*time.Millisecond })
	s := w.connected("owner a")
	s.deaf = true
	equal(t, "close", s.end().code, 3012)
}

// The socket speaks one protocol.
func TestWebSocket_OtherProtocols(t *testing.T) {
	w := start(t, nil)
	for name, change := range map[string]func(*http.Request){
		"query":       func(r *http.Request) { r.URL.RawQuery = "format=protobuf" },
		"subprotocol": func(r *http.Request) { r.Header.Set("Sec-WebSocket-Protocol", "centrifuge-protobuf") },
	} {
		r := httptest.NewRequest(http.MethodGet, "/v1/socket", nil)
		change(r)
		answer := httptest.NewRecorder()
		w.hub.WebSocket().ServeHTTP(answer, r)
		equal(t, name, answer.Code, http.StatusBadRequest)
	}
}

func TestSubscribe_Refused(t *testing.T) {
	w := start(t, nil)
	conv := w.begin(1)
	name := conversationChannel(conv)
	foreign := [32]byte{2}
	w.log.add(foreign, []byte("genesis"))
	const unknown, denied, bad = 102, 103, 107
	for _, c := range []struct {
		name, command string
		want          int
	}{
		{"a foreign conversation", subscribe(conversationChannel(foreign)), denied},
		{"who types in a foreign conversation", subscribe(typingChannel(foreign)), denied},
		{"a foreign department", subscribe(departmentChannel([16]byte{2})), denied},
		{"no prefix", subscribe(strings.TrimPrefix(name, "c:")), unknown},
		{"another prefix", subscribe("x:" + name[2:]), unknown},
		{"a short name", subscribe(name[:len(name)-1]), unknown},
		{"padding", subscribe(departmentChannel([16]byte{1}) + "=="), unknown},
		{"another alphabet", subscribe(strings.Replace(name, "A", "+", 1)), unknown},
		{"bits past the end", subscribe(name[:len(name)-1] + "B"), unknown},
		{"a line break", subscribe(name[:10] + `\n` + name[11:]), unknown},
		{"a department's name of a conversation's length", subscribe("q:" + name[2:]), unknown},
		{"a map", `"subscribe":{"channel":"` + name + `","type":1}`, bad},
		{"a delta", `"subscribe":{"channel":"` + name + `","delta":"fossil"}`, bad},
		{"a filter", `"subscribe":{"channel":"` + name + `","tf":{"op":"eq"}}`, bad},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := w.connected("owner a")
			s.t = t
			equal(t, "error", s.do(c.command).Error.Code, c.want)
		})
	}
	s := w.connected("visitor v")
	equal(t, "a visitor in a queue", s.do(subscribe(departmentChannel([16]byte{1}))).Error.Code, denied)
	equal(t, "a right of one's own", s.do(subscribe(name)).Error.Code, 0)
}

// What centrifuge could do and SPEC.md does not name is refused.
func TestCommands_Refused(t *testing.T) {
	w := start(t, nil)
	conv := w.begin(1)
	name := conversationChannel(conv)
	s := w.connected("owner a")
	if r := s.do(subscribe(name)); r.Error.Code != 0 {
		t.Fatalf("subscribe: %+v", r)
	}
	for _, command := range []string{
		`"publish":{"channel":"` + name + `","data":{"o":"AA"}}`,
		`"presence":{"channel":"` + name + `"}`,
		`"presence_stats":{"channel":"` + name + `"}`,
		`"history":{"channel":"` + name + `","limit":10}`,
		`"rpc":{"method":"x","data":{}}`,
		`"refresh":{"token":"x"}`,
		`"sub_refresh":{"channel":"` + name + `","token":"x"}`,
	} {
		equal(t, command, s.do(command).Error.Code, 104)
	}
	w.say(conv, "only the log's")
	equal(t, "heard", s.heard(name, 1), []string{"1 only the log's"})
	s.write(`{"send":{"data":{}}}`)
	equal(t, "close after send", s.end().code, 3501)
}

func TestSubscribe_Limit(t *testing.T) {
	w := start(t, nil)
	s := w.connected("owner a")
	for n := range 128 {
		if r := s.do(subscribe(conversationChannel(w.begin(byte(n))))); r.Error.Code != 0 {
			t.Fatalf("channel %d: %+v", n, r)
		}
	}
	equal(t, "channel 129", s.do(subscribe(conversationChannel(w.begin(128)))).Error.Code, 106)
}

func TestCommands_TooMany(t *testing.T) {
	w := start(t, func(l *limits) { l.burst, l.rate = 10, 20 })
	const command = `"unsubscribe":{"channel":"x"}`
	s := w.connected("owner a")
	for range 20 { // slowly
		s.do(command)
		time.Sleep(60 * time.Millisecond)
	}
	for range 200 {
		if _, err := s.try(command); err != nil {
			equal(t, "close", err, error(closed{3013, "too many requests"}))
			return
		}
	}
	t.Error("200 commands at once were answered")
}

func TestFrame_TooBig(t *testing.T) {
	w := start(t, nil)
	s := w.connected("owner a")
	s.do(`"unsubscribe":{"channel":"` + strings.Repeat("x", 3900) + `"}`)
	s.write(`{"id":9,"unsubscribe":{"channel":"` + strings.Repeat("x", 4096) + `"}}`)
	equal(t, "close", s.end().code, 1009)
	s = w.connected("owner a")
	s.write("this is no command")
	equal(t, "close", s.end().code, 3501)
}

func TestPublish_InOrderToAll(t *testing.T) {
	const subscribers, entries = 100, 30
	w := start(t, nil)
	conv := w.begin(1)
	name := conversationChannel(conv)
	var sockets []*socket
	for n := range subscribers {
		s := w.connected(fmt.Sprint("owner ", n))
		r := s.do(subscribe(name))
		if r.Subscribe == nil || !r.Subscribe.Recoverable || r.Subscribe.Epoch != "log" || r.Subscribe.Offset != 0 {
			t.Fatalf("subscribe: %+v", r)
		}
		sockets = append(sockets, s)
	}
	w.hub.Publish(conv, 0, []byte("genesis")) // no publication
	var want []string
	for n := range entries {
		w.say(conv, fmt.Sprint("entry ", n))
		want = append(want, fmt.Sprintf("%d entry %d", n+1, n))
	}
	for _, s := range sockets {
		equal(t, "heard", s.heard(name, entries), want)
	}
	equal(t, "reads of the log", w.log.reads.Load(), int64(0))
}

// Entries that are handed in twice, late or not at all are delivered once and
// in order.
func TestPublish_DuplicatesAndGaps(t *testing.T) {
	w := start(t, nil)
	conv := w.begin(1)
	name := conversationChannel(conv)
	s := w.connected("owner a")
	s.do(subscribe(name))
	for n := 1; n <= 6; n++ {
		w.log.add(conv, []byte(fmt.Sprint("e", n)))
	}
	for _, n := range []uint64{1, 1, 4, 2, 3, 4, 6, 5} { // 5 is never in time
		w.hub.Publish(conv, n, []byte(fmt.Sprint("e", n)))
	}
	w.say(conv, "e7")
	equal(t, "heard", s.heard(name, 7), []string{"1 e1", "2 e2", "3 e3", "4 e4", "5 e5", "6 e6", "7 e7"})
}

// Many publish at once, in different conversations and, against the rules, in
// one: what arrives is still the log.
func TestPublish_Concurrent(t *testing.T) {
	const entries = 50
	w := start(t, nil)
	var all sync.WaitGroup
	for c := range byte(8) {
		conv := w.begin(c)
		s := w.connected(fmt.Sprint("owner ", c))
		s.do(subscribe(conversationChannel(conv)))
		for range 2 {
			all.Go(func() {
				for range entries / 2 {
					w.say(conv, "x")
				}
			})
		}
		all.Go(func() {
			var want []string
			for n := range entries {
				want = append(want, fmt.Sprint(n+1, " x"))
			}
			equal(t, "heard", s.heard(conversationChannel(conv), entries), want)
		})
	}
	all.Wait()
}

func TestRecover_ExactlyTheMissing(t *testing.T) {
	w := start(t, nil)
	conv := w.begin(1)
	name := conversationChannel(conv)
	s := w.connected("owner a")
	s.do(subscribe(name))
	for n := range 3 {
		w.say(conv, fmt.Sprint("before ", n))
	}
	s.heard(name, 3)
	s.conn.Close()
	for n := range 3 {
		w.say(conv, fmt.Sprint("missed ", n))
	}
	for offset, want := range map[int][]string{
		0: {"1 before 0", "2 before 1", "3 before 2", "4 missed 0", "5 missed 1", "6 missed 2"},
		3: {"4 missed 0", "5 missed 1", "6 missed 2"},
		5: {"6 missed 2"},
		6: nil,
	} {
		again := w.connected("owner a")
		r := again.do(recover(name, offset)).Subscribe
		if r == nil || !r.WasRecovering || !r.Recovered {
			t.Fatalf("from %d: %+v", offset, r)
		}
		equal(t, fmt.Sprint("from ", offset), texts(t, r.Publications), want)
		defer func() { equal(t, "and on", again.heard(name, 1), []string{"7 after"}) }()
	}
	defer w.say(conv, "after")

	again := w.connected("owner a")
	if r := again.do(recover(name, 7)).Subscribe; r.Recovered {
		t.Error("a position that the log has not reached was recovered")
	}
	again = w.connected("owner a")
	if r := again.do(`"subscribe":{"channel":"` + name + `","recover":true,"offset":3,"epoch":"other"}`).Subscribe; r.Recovered {
		t.Error("a position of another stream was recovered")
	}
}

// Nothing falls between the history and the live delivery, however they meet.
func TestRecover_WhilePublishing(t *testing.T) {
	const entries = 300
	w := start(t, nil)
	conv := w.begin(1)
	name := conversationChannel(conv)
	go func() {
		for range entries {
			w.say(conv, "x")
			time.Sleep(200 * time.Microsecond)
		}
	}()
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			time.Sleep(time.Duration(n) * 5 * time.Millisecond)
			s := w.connected(fmt.Sprint("owner ", n))
			r := s.do(recover(name, 0)).Subscribe
			if r == nil || !r.Recovered {
				t.Errorf("not recovered: %+v", r)
				return
			}
			got := texts(t, r.Publications)
			got = append(got, s.heard(name, entries-len(got))...)
			for i, g := range got {
				if want := fmt.Sprint(i+1, " x"); g != want {
					t.Errorf("place %d: got %s", i, g)
					return
				}
			}
		})
	}
	all.Wait()
}

// Who has missed more than a frame carries is told to read the log itself.
func TestRecover_TooMuch(t *testing.T) {
	w := start(t, nil)
	many, heavy := w.begin(1), w.begin(2)
	for range recoverLimit + 1 {
		w.log.add(many, []byte("x"))
	}
	for range 5 {
		w.log.add(heavy, make([]byte, 65536))
	}
	for _, c := range []struct {
		conv      [32]byte
		from      int
		recovered bool
		top       uint64
	}{
		{many, 0, false, recoverLimit + 1},
		{many, 1, true, 1},
		{heavy, 0, false, 5},
		{heavy, 1, true, 1},
	} {
		s := w.connected("owner a")
		r := s.do(recover(conversationChannel(c.conv), c.from)).Subscribe
		equal(t, "recovered", r.Recovered, c.recovered)
		equal(t, "offset", r.Offset, c.top)
		if !c.recovered {
			equal(t, "publications", len(r.Publications), 0)
		}
	}
}

// A gap that the log cannot fill makes the readers subscribe again, from where
// they stand.
func TestPublish_BrokenLog(t *testing.T) {
	w := start(t, nil)
	conv := w.begin(1)
	name := conversationChannel(conv)
	s := w.connected("owner a")
	s.do(subscribe(name))
	w.say(conv, "one")
	s.heard(name, 1)
	w.log.add(conv, []byte("two"))
	w.log.fail(true)
	w.hub.Publish(conv, w.log.add(conv, []byte("three")), []byte("three"))
	if p := s.push(); p.Unsubscribe == nil || p.Unsubscribe.Code != 2500 {
		t.Fatalf("got %+v, want an unsubscribe", p)
	}
	w.log.fail(false)
	r := s.do(recover(name, 1)).Subscribe
	equal(t, "recovered", texts(t, r.Publications), []string{"2 two", "3 three"})

	w.log.fail(true)
	s = w.connected("owner b")
	_, err := s.try(recover(conversationChannel(w.begin(2)), 0))
	equal(t, "subscribing without a log", err, error(closed{3004, "internal server error"}))
}

func TestMoved_Hints(t *testing.T) {
	w := start(t, nil)
	dept := [16]byte{1, 7}
	conv := w.begin(1)
	name := departmentChannel(dept)
	w.hub.Moved(dept, conv, 1) // nobody is there
	s := w.connected("owner a")
	r := s.do(recover(name, 0))
	if r.Subscribe == nil || r.Subscribe.Recoverable || r.Subscribe.Offset != 0 {
		t.Fatalf("subscribe: %+v", r.Subscribe)
	}
	w.hub.Moved([16]byte{1, 8}, conv, 2)
	w.hub.Moved(dept, conv, 3)
	p := s.push()
	if p.Channel != name || p.Pub == nil {
		t.Fatalf("got %+v", p)
	}
	equal(t, "conv", p.Pub.Data.Conv, base64.RawURLEncoding.EncodeToString(conv[:]))
	equal(t, "seq", p.Pub.Data.Seq, uint64(3))
	equal(t, "offset", p.Pub.Offset, uint64(0))
}

func TestTyping_ReachesWhoFollowsAtMostEveryTwoSeconds(t *testing.T) {
	w := start(t, nil)
	conv, other := w.begin(1), w.begin(2)
	name := typingChannel(conv)
	w.hub.Typing(conv, 1) // nobody is there, so nothing is counted
	s := w.connected("owner a")
	if r := s.do(recover(name, 0)); r.Subscribe == nil || r.Subscribe.Recoverable {
		t.Fatalf("subscribe: %+v", r.Subscribe)
	}
	for range 5 {
		w.hub.Typing(conv, 1)
	}
	w.hub.Typing(other, 9)
	w.hub.Typing(conv, 2)
	for _, leaf := range []uint16{1, 2} {
		p := s.push()
		if p.Channel != name || p.Pub == nil {
			t.Fatalf("got %+v", p)
		}
		equal(t, "leaf", p.Pub.Data.Leaf, leaf)
		equal(t, "offset", p.Pub.Offset, uint64(0))
	}
}

func TestTyping_ForgetsWhoCountsNoMore(t *testing.T) {
	var typing typing
	now := time.Now()
	for leaf := range uint16(5 * typists) {
		if !typing.take(typist{leaf: leaf}, now) {
			t.Fatalf("leaf %d came too often", leaf)
		}
		now = now.Add(typingEvery / 10)
	}
	if n := len(typing.last); n > typists {
		t.Errorf("%d are remembered", n)
	}
	if last := (typist{leaf: 5*typists - 1}); typing.take(last, now) || !typing.take(last, now.Add(typingEvery)) {
		t.Error("the last one is not remembered for two seconds")
	}
}

// Whoever counts connections counts each once, whatever ends it.
func TestConnected_IsToldOncePerConnection(t *testing.T) {
	w := start(t, nil)
	expect := func(what string) {
		t.Helper()
		select {
		case got := <-w.moved:
			equal(t, "told", got, what)
		case <-time.After(5 * time.Second):
			t.Fatalf("nobody was told: %s", what)
		}
	}
	a := w.connected("owner a")
	expect("owner a 1")
	again := w.connected("owner a")
	expect("owner a 2")
	w.connected("owner b")
	expect("owner b 1")
	if err := a.conn.Close(); err != nil {
		t.Fatal(err)
	}
	expect("owner a 1")
	w.hub.Disconnect(owner("owner a"))
	equal(t, "close", again.end().code, 3503)
	expect("owner a 0")
	bad := dial(t, w.server)
	bad.write(`{"id":1,"connect":{"token":"bad"}}`)
	bad.end()
	select {
	case got := <-w.moved:
		t.Errorf("told of a connection that was refused: %s", got)
	default:
	}
}

// A reader that does not read is cut off, and the others do not wait for it.
func TestPublish_SlowReader(t *testing.T) {
	w := start(t, nil)
	conv := w.begin(1)
	name := conversationChannel(conv)
	slow, fast := w.connected("owner a"), w.connected("owner b")
	slow.do(subscribe(name))
	fast.do(subscribe(name))
	const entries = 400
	big := strings.Repeat("x", 16000)
	heard := make(chan int)
	go func() { heard <- len(fast.heard(name, entries)) }()
	for n := range entries {
		w.say(conv, big)
		if n%10 == 9 {
			time.Sleep(2 * time.Millisecond) // the fast one reads
		}
	}
	equal(t, "heard by the other", <-heard, entries)
	for {
		_, err := slow.next()
		var c closed
		if errors.As(err, &c) {
			equal(t, "close", c.code, 3008)
			break
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal("the slow reader was not cut off")
		}
		if err != nil { // the close frame did not fit any more
			break
		}
	}
}

func TestDisconnect_Owner(t *testing.T) {
	w := start(t, nil)
	a, b := w.connected("owner a"), w.connected("owner b")
	w.hub.Disconnect(owner("owner a"))
	equal(t, "close", a.end().code, 3503)
	equal(t, "the other", b.do(subscribe(conversationChannel(w.begin(1)))).Error.Code, 0)
}

// Who is disconnected between the look at the token and the connection does
// not slip through.
func TestDisconnect_WhileConnecting(t *testing.T) {
	w := start(t, nil)
	w.mu.Lock()
	w.during = func() { w.hub.Disconnect(owner("owner a")) }
	w.mu.Unlock()
	s := dial(t, w.server)
	s.write(`{"id":1,"connect":{"token":"owner a"}}`)
	equal(t, "close", s.end().code, 3011)
}

// A right that is gone ends the subscription soon.
func TestSubscribe_RightLost(t *testing.T) {
	w := start(t, func(l *limits) { l.recheck = time.Second })
	conv := w.begin(1)
	name := conversationChannel(conv)
	a, b := w.connected("owner a"), w.connected("owner b")
	a.do(subscribe(name))
	b.do(subscribe(name))
	w.mu.Lock()
	w.barred[owner("owner a")] = true
	w.mu.Unlock()
	if p := a.push(); p.Unsubscribe == nil || p.Unsubscribe.Code != 2501 {
		t.Fatalf("got %+v, want an unsubscribe", p)
	}
	equal(t, "subscribing again", a.do(recover(name, 0)).Error.Code, 103)
	time.Sleep(2 * time.Second) // the other has been looked at too
	w.say(conv, "still here")
	equal(t, "heard", b.heard(name, 1), []string{"1 still here"})
}

// Whoever is no longer in the roster hears nothing more, at once: the others do.
func TestLook_RightLost(t *testing.T) {
	w := start(t, nil)
	conv, other := w.begin(1), w.begin(2)
	a, b := w.connected("owner a"), w.connected("owner b")
	for _, s := range []*socket{a, b} {
		s.do(subscribe(conversationChannel(conv)))
	}
	a.do(subscribe(typingChannel(conv)))
	w.mu.Lock()
	w.barred[owner("owner a")] = true
	w.mu.Unlock()
	w.hub.Look(other)
	w.hub.Look(conv)
	left := map[string]bool{}
	for range 2 {
		p := a.push()
		if p.Unsubscribe == nil || p.Unsubscribe.Code != 2501 {
			t.Fatalf("got %+v, want an unsubscribe", p)
		}
		left[p.Channel] = true
	}
	equal(t, "channels that ended", len(left), 2)
	w.say(conv, "among us")
	equal(t, "heard", b.heard(conversationChannel(conv), 1), []string{"1 among us"})
}

func TestStop_ClientsComeBack(t *testing.T) {
	w := start(t, nil)
	s := w.connected("owner a")
	stopped := make(chan error)
	go func() { stopped <- w.hub.Stop(context.Background()) }()
	equal(t, "close", s.end().code, 3001)
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
	w.hub.Publish(w.begin(1), 1, []byte("x")) // harmless
}

func TestNew_MissingOption(t *testing.T) {
	if _, err := New(Options{}); err == nil || !strings.Contains(err.Error(), "required") {
		t.Errorf("got %v", err)
	}
}
