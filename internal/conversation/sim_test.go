package conversation_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aldaba-chat/aldaba/internal/chat"
	"github.com/aldaba-chat/aldaba/internal/conversation"
	"github.com/aldaba-chat/aldaba/internal/policy"
	"github.com/aldaba-chat/aldaba/internal/seal"
)

const (
	simRounds = 2000 // histories of one run
	simSteps  = 200  // of one history
)

// TestSimulator plays histories, each drawn from its seed alone: visitors and
// agents who talk, accept, invite, leave, close and open again, over a network
// that loses, doubles, delays and reorders, against a server that crashes
// before and after its commits and a disk that fails. Objects and signatures
// are real; what would be encrypted is random. After every step and at the end:
// what was acknowledged is there once, at its place; the log is dense; every
// sender's words are in their order; everybody has read the same log; a retry
// gets the first answer; what is refused leaves nothing; nothing is published
// before it is committed; everybody is given the own wraps and no other
// [S2, S3, S5, S6, S7, S8].
func TestSimulator(t *testing.T) {
	number := func(name string, otherwise uint64) uint64 {
		text, set := os.LookupEnv(name)
		if !set {
			return otherwise
		}
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return n
	}
	first, rounds := number("ALDABA_SEED", rand.Uint64()>>16), number("ALDABA_ROUNDS", simRounds)
	if os.Getenv("ALDABA_SOAK") != "" {
		rounds *= 50
	}
	if raced {
		rounds = max(1, rounds/50)
	}
	o := founded(t)
	var next, entries, crashes atomic.Uint64
	var workers sync.WaitGroup
	var failed atomic.Bool
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < rounds && !failed.Load(); i = next.Add(1) - 1 {
				h := newHistory(o, first+i)
				if complaint := h.play(); complaint != "" && !failed.Swap(true) {
					t.Errorf("%s\n%slast steps:\n  %s\nThis history again:\n  ALDABA_SEED=%d ALDABA_ROUNDS=1 go test -count=1 -run '^TestSimulator$' ./internal/conversation",
						complaint, h.disk.describe(), strings.Join(h.trace, "\n  "), first+i)
				}
				entries.Add(uint64(h.disk.commits))
				crashes.Add(uint64(h.crashes))
			}
		})
	}
	workers.Wait()
	fmt.Printf("note: seed %d: %s: %d histories, %d commits, %d crashes\n", first, t.Name(), min(next.Load(), rounds), entries.Load(), crashes.Load())
	if !failed.Load() && rounds >= 40 && (entries.Load() < 10*rounds || crashes.Load() < rounds/2) {
		t.Error("too little happened: the histories prove nothing")
	}
}

// complaint is the panic by which a history says that a promise is broken.
type complaint string

// history is one run of the world.
type history struct {
	org     *org
	r       *rand.Rand
	source  *rand.ChaCha8
	now     time.Time
	disk    *disk
	server  *conversation.Conversations
	dir     *directory
	page    int
	memory  int
	crashes int
	clients []*client
	net     []packet
	acks    map[[32]byte]conversation.Receipt // by the entry's hash
	pushed  map[[32]byte]uint64               // by conversation, in this life of the server
	moved   map[[32]byte]uint64
	trace   []string
}

// packet is something on the wire: a question to the server, or to a client an
// answer or a push.
type packet struct {
	ask *request

	to      *view
	item    *item
	entry   []byte
	err     error
	page    *conversation.Page
	whole   bool // of somebody who may read to the end
	from    uint64
	logged  []conversation.Logged
	replay  bool // an answer to a subscription
	process int  // the life of the server that pushed
}

type request struct {
	view   *view
	item   *item
	entry  []byte
	keys   [][]byte
	wraps  [][]byte
	first  [][]byte
	bad    bool
	fetch  bool
	follow bool
	from   uint64
}

func newHistory(o *org, seed uint64) *history {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	source := rand.NewChaCha8(key)
	h := &history{
		org: o, r: rand.New(source), source: source, now: time.UnixMilli(simTime),
		acks: map[[32]byte]conversation.Receipt{},
	}
	h.page, h.memory = []int{1, 2, 3, 7, 200}[h.r.IntN(5)], []int{1, 4096, 4096, 4096, 4096}[h.r.IntN(5)]
	h.disk = newDisk(h.r, h.broken)
	for i := range o.agents {
		s := &o.agents[i]
		h.clients = append(h.clients, &client{history: h, name: s.name, owner: s.cert.Hash(), key: s.key, staff: s})
	}
	h.boot()
	return h
}

func (h *history) broken(format string, values ...any) {
	panic(complaint(fmt.Sprintf(format, values...)))
}

func (h *history) must(err error) {
	if err != nil {
		h.broken("%v", err)
	}
}

func (h *history) random(b []byte) { _, _ = h.source.Read(b) }

func (h *history) milliseconds() uint64 { return uint64(h.now.UnixMilli()) }

func (h *history) note(format string, values ...any) {
	h.trace = append(h.trace, fmt.Sprintf(format, values...))
	if len(h.trace) > 40 {
		h.trace = h.trace[1:]
	}
}

// boot starts a process: nothing is known but what is on the disk.
func (h *history) boot() {
	h.dir = &directory{h.disk, h.org.trust()}
	h.server = conversation.New(conversation.Options{
		Store: h.disk, Directory: h.dir, Listener: h, Offices: offices{}, Door: h.org.door, Now: func() time.Time { return h.now },
	})
	h.server.Shrink(h.page, h.memory)
	h.pushed, h.moved = map[[32]byte]uint64{}, map[[32]byte]uint64{}
	for _, c := range h.clients {
		for _, v := range c.views {
			v.online = false
		}
	}
}

// send puts a packet on the wire, where it may be lost or doubled.
func (h *history) send(p packet) {
	if h.disk.faults {
		switch h.r.IntN(16) {
		case 0:
			return
		case 1:
			h.net = append(h.net, p)
		}
	}
	h.net = append(h.net, p)
}

// Publish is the fan-out: only what is committed, in order, each once.
func (h *history) Publish(conv [32]byte, seq uint64, object []byte) {
	k := h.disk.convs[conv]
	if k == nil || seq >= uint64(len(k.log)) || !bytes.Equal(k.log[seq].Object, object) {
		h.broken("entry %d is published and not committed", seq)
	}
	if last, some := h.pushed[conv]; some && seq <= last {
		h.broken("entry %d is published after %d", seq, last)
	}
	h.pushed[conv] = seq
	for _, c := range h.clients {
		for _, v := range c.views {
			if v.conv == conv && v.online {
				h.send(packet{to: v, logged: []conversation.Logged{{Seq: seq, Object: object}}, process: h.crashes})
			}
		}
	}
}

// Moved is the hint to a queue.
func (h *history) Moved(_ [16]byte, conv [32]byte, seq uint64) {
	if k := h.disk.convs[conv]; k == nil || k.listed.Seq != seq {
		h.broken("a queue is told of entry %d, which is not the last committed", seq)
	}
	h.moved[conv] = seq
}

// play runs the history and says what was wrong, "" when nothing was.
func (h *history) play() (wrong string) {
	defer func() {
		if c, ok := recover().(complaint); ok {
			wrong = string(c)
		}
	}()
	h.disk.faults = true
	for range simSteps {
		h.now = h.now.Add(time.Duration(h.r.IntN(3000)) * time.Millisecond)
		h.step()
	}
	h.settle()
	return ""
}

func (h *history) step() {
	switch n := h.r.IntN(100); {
	case len(h.clients) == len(h.org.agents) || n < 2 && len(h.clients) < len(h.org.agents)+4:
		i := len(h.clients) - len(h.org.agents)
		c := &client{history: h, name: fmt.Sprintf("visitor %d", i), key: signer(byte(200 + i))}
		h.clients = append(h.clients, c)
		h.note("%s begins", c.name)
		c.begins().posts()
	case n < 22:
		h.act()
	case n < 26:
		h.mischief()
	case n < 34:
		if v := h.someView(); v != nil {
			v.posts() // a retry, or the next in the outbox
		}
	case n < 42:
		if v := h.someView(); v != nil {
			v.fetches()
		}
	case n < 47:
		if v := h.someView(); v != nil {
			h.note("%s connects again", v.name)
			v.online = false
			h.send(packet{ask: &request{view: v, follow: true, from: uint64(len(v.log))}})
		}
	case n < 48:
		h.note("the server is killed")
		h.kill()
	case n < 51:
		h.now = h.now.Add(time.Duration(h.r.IntN(300)) * time.Second)
	default:
		for range 1 + h.r.IntN(3) {
			h.deliver()
		}
	}
}

func (h *history) kill() {
	h.crashes++
	h.boot()
}

// deliver brings one packet to its end, in any order.
func (h *history) deliver() {
	if len(h.net) == 0 {
		return
	}
	i := h.r.IntN(min(len(h.net), 12))
	p := h.net[i]
	h.net = slices.Delete(h.net, i, i+1)
	if p.ask != nil {
		h.handle(p.ask)
		return
	}
	h.arrive(p)
}

func (h *history) arrive(p packet) {
	v := p.to
	switch {
	case p.item != nil:
		v.answered(p.item, p.entry, p.err)
	case p.page != nil:
		v.page(p.from, p.page, p.whole)
	case p.replay:
		v.online = v.online || p.process == h.crashes
		fallthrough
	default:
		for _, l := range p.logged {
			if !v.takes(l.Seq, l.Object) {
				v.fetches()
				return
			}
		}
	}
}

func (h *history) someView() *view {
	var all []*view
	for _, c := range h.clients {
		all = append(all, c.views...)
	}
	if len(all) == 0 {
		return nil
	}
	return all[h.r.IntN(len(all))]
}

// someConv is a conversation that has begun.
func (h *history) someConv() ([32]byte, bool) {
	var all [][32]byte
	for _, c := range h.clients {
		if c.staff == nil && h.disk.convs[c.owner] != nil {
			all = append(all, c.owner)
		}
	}
	if len(all) == 0 {
		return [32]byte{}, false
	}
	return all[h.r.IntN(len(all))], true
}

// act lets a person do something that makes sense.
func (h *history) act() {
	c := h.clients[h.r.IntN(len(h.clients))]
	if c.staff != nil && c.name != "Otto" {
		if conv, ok := h.someConv(); ok {
			c.looks(conv)
		}
	}
	if len(c.views) == 0 {
		return
	}
	v := c.views[h.r.IntN(len(c.views))]
	_, member := v.leaf(c.owner)
	_, waits := v.leaf(h.org.deptCert)
	switch n := h.r.IntN(20); {
	case v.closed && c.staff == nil && n < 10:
		v.reopens()
	case !member && waits && c.staff != nil:
		v.accepts()
	case member && n < 14:
		v.says(seal.ClassMessage)
	case member && n < 15:
		v.says(seal.ClassClose)
	case member && n < 17 && c.staff != nil:
		v.invites(&h.org.agents[h.r.IntN(2)])
	case member && n < 18 && c.staff != nil:
		v.leaves()
	case member && n < 18:
		v.rekeys()
	default:
		v.fetches()
	}
	h.note("%s acts: %d in the outbox, %d read", c.name, len(v.outbox), len(v.log))
	v.posts()
}

// mischief sends what must be refused.
func (h *history) mischief() {
	conv, ok := h.someConv()
	if !ok {
		return
	}
	c := h.clients[h.r.IntN(len(h.clients))]
	var at *view
	for _, v := range c.views {
		if v.conv == conv && v.epoch() != nil {
			at = v
		}
	}
	if at == nil {
		// A stranger, or one who has read nothing: what it asks is answered as if
		// there were nothing.
		if c.staff == nil || c.name == "Otto" {
			h.stranger(c, conv)
		}
		return
	}
	leaf, member := at.leaf(c.owner)
	q := &request{view: at, bad: true}
	var cid [16]byte
	h.random(cid[:])
	switch n := h.r.IntN(7); {
	case n == 6: // what somebody else has signed and not handed in yet
		if q.entry = h.stolen(at); q.entry == nil {
			return
		}
	case n == 0: // another's leaf
		q.entry = at.event(leaf+1, seal.ClassMessage, cid, c.key)
	case n == 1: // another's signature
		q.entry = at.event(leaf, seal.ClassMessage, cid, h.org.deptKey)
	case n == 2: // no object at all
		q.entry = cid[:]
	case n == 3 && member: // an epoch without its wraps, with a key object of nobody
		e := *at.epoch()
		e.N, e.Prev, e.Reason, e.Author, e.Accept, e.Time = e.N+1, e.Hash(), seal.ReasonRekey, leaf, seal.NoAccept, h.milliseconds()
		q.entry, q.wraps = h.sign(&e, c.key)
		q.wraps = q.wraps[1:]
	case n == 4 && member && c.staff == nil: // a new key object, by a wrong hand
		k := at.keyObject()
		e := *at.epoch()
		e.N, e.Prev, e.Reason, e.Author, e.Accept, e.Time = e.N+1, e.Hash(), seal.ReasonRekey, leaf, seal.NoAccept, h.milliseconds()
		e.Members = slices.Clone(e.Members)
		e.Members[0].KeyObject = k.Hash()
		q.entry, q.wraps = h.sign(&e, h.org.deptKey)
		q.keys = [][]byte{k.Bytes()}
	default: // an event of an epoch to come
		e := *at.epoch()
		e.N++
		at.epochs = append(at.epochs, &e)
		q.entry = at.event(leaf, seal.ClassMessage, cid, c.key)
		at.epochs = at.epochs[:len(at.epochs)-1]
	}
	h.note("%s sends what must be refused", c.name)
	h.send(packet{ask: q})
}

// stolen is an event that another member has on the wire.
func (h *history) stolen(thief *view) []byte {
	for _, p := range h.net {
		if p.ask != nil && !p.ask.bad && p.ask.view != thief && p.ask.view.conv == thief.conv && seal.KindOf(p.ask.entry) == seal.KindEvent {
			return p.ask.entry
		}
	}
	return nil
}

// stranger asks for what is not its own, and hears what it hears of nothing [S2].
func (h *history) stranger(c *client, conv [32]byte) {
	if c.owner == conv || c.owner == ([32]byte{}) {
		return
	}
	var missing [32]byte
	h.random(missing[:])
	known := h.server.InMemory()
	h.dies(func() {
		for _, ask := range []func(conv [32]byte) error{
			func(conv [32]byte) error {
				_, err := h.server.Entries(context.Background(), c.actor(), conv, 0)
				return err
			},
			func(conv [32]byte) error {
				_, err := h.server.Append(context.Background(), c.actor(), conv, []byte("x"), nil, nil)
				return err
			},
		} {
			foreign, nothing := ask(conv), ask(missing)
			if foreign == nil || nothing == nil || foreign.Error() != nothing.Error() || chat.KindOf(foreign) != chat.KindOf(nothing) {
				h.broken("%s hears %q of another's conversation and %q of none", c.name, foreign, nothing)
			}
		}
	})
	if now := h.server.InMemory(); now > known+1 {
		h.broken("questions for nothing fill the memory: %d conversations, then %d", known, now)
	}
}

// dies runs what may end the process, and reports whether it did.
func (h *history) dies(run func()) (died bool) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case crash:
			died = true
			h.note("the server crashes")
			h.kill()
		default:
			panic(p)
		}
	}()
	run()
	return false
}

// handle is the server's work on one question, in one step; a crash leaves it
// without an answer.
func (h *history) handle(q *request) {
	ctx := context.Background()
	if h.r.IntN(10) == 0 { // the sender has hung up
		cancelled, cancel := context.WithCancel(ctx)
		cancel()
		ctx = cancelled
	}
	v, commits := q.view, h.disk.commits
	h.dies(func() {
		switch {
		case q.fetch:
			whole := h.reader(v)
			if whole && h.disk.faults && h.r.IntN(3) == 0 {
				h.disk.during = h.meanwhile(v.conv)
			}
			page, err := h.server.Entries(ctx, v.actor(), v.conv, q.from)
			h.disk.during = nil
			if err == nil {
				h.send(packet{to: v, page: &page, from: q.from, whole: whole})
			}
			if !whole && err == nil {
				h.loser(v, q.from, page)
			}
		case q.follow:
			if h.server.May(ctx, v.actor(), policy.Follow, v.conv) != nil {
				return
			}
			if q.from == 0 { // the genesis is no publication
				h.send(packet{ask: &request{view: v, fetch: true}})
				return
			}
			logged, err := h.server.Since(ctx, v.conv, q.from-1, 1000)
			h.must(err)
			if top, err := h.server.Top(ctx, v.conv); err != nil || len(logged) != int(top+1-q.from) {
				h.broken("%s is given %d entries after %d, the last is %d: %v", v.name, len(logged), q.from-1, top, err)
			}
			v.online = true
			h.send(packet{to: v, logged: logged, replay: true, process: h.crashes})
		default:
			receipt, err := h.hand(ctx, q)
			h.judge(q, receipt, err, commits)
			h.send(packet{to: v, item: q.item, entry: q.entry, err: err})
		}
	})
}

func (h *history) hand(ctx context.Context, q *request) (conversation.Receipt, error) {
	if q.first != nil {
		return h.server.Begin(ctx, "shop", q.first[0], q.first[1], q.entry, q.wraps)
	}
	return h.server.Append(ctx, q.view.actor(), q.view.conv, q.entry, q.keys, q.wraps)
}

// meanwhile is somebody else's entry while a page is read.
func (h *history) meanwhile(conv [32]byte) func() {
	for i, p := range h.net {
		if p.ask != nil && p.ask.entry != nil && p.ask.view.conv == conv && p.ask.first == nil {
			return func() {
				h.net = slices.Delete(h.net, i, i+1)
				h.note("%s hands something in while a page is read", p.ask.view.name)
				h.handle(p.ask)
			}
		}
	}
	return nil
}

// judge looks at an answer and at what the disk has.
func (h *history) judge(q *request, receipt conversation.Receipt, err error, commits int) {
	hash := sha256.Sum256(q.entry)
	k := h.disk.convs[q.view.conv]
	if err != nil {
		if errors.Is(err, errDisk) {
			return // nothing is known
		}
		if h.disk.commits != commits {
			h.broken("%s is refused (%v), and something was written", q.view.name, err)
		}
		for _, object := range q.keys {
			kept := slices.ContainsFunc(h.disk.keys[q.view.conv], func(o []byte) bool { return bytes.Equal(o, object) })
			if h.dir.trust.KeyObject(sha256.Sum256(object)) != nil && !kept {
				h.broken("a key object of a refused entry is remembered")
			}
		}
		if _, had := h.acks[hash]; had {
			h.broken("%s retries what was acknowledged and hears: %v", q.view.name, err)
		}
		return
	}
	if q.bad && !receipt.Again {
		h.broken("%s: what must be refused is taken", q.view.name)
	}
	if k == nil || receipt.Seq >= uint64(len(k.log)) || !bytes.Equal(k.log[receipt.Seq].Object, q.entry) || k.log[receipt.Seq].At != receipt.At {
		h.broken("%s is told %+v, and the disk does not have it", q.view.name, receipt)
	}
	if receipt.Again != (h.disk.commits == commits) {
		h.broken("%s is told again=%t after %d commits", q.view.name, receipt.Again, h.disk.commits-commits)
	}
	if had, ok := h.acks[hash]; ok && (had.Seq != receipt.Seq || had.At != receipt.At) {
		h.broken("%s is told %+v, and before %+v", q.view.name, receipt, had)
	}
	h.acks[hash] = receipt
	if !receipt.Again {
		kind := seal.KindOf(q.entry)
		e := new(seal.Epoch)
		if seal.Parse(q.entry, e) == nil && e.Reason == seal.ReasonAccept {
			if _, inAll := h.disk.load(q.view.staff.cert.Subject, h.org.dept, q.view.conv); inAll >= simRoom {
				h.broken("%s has accepted one more than %d", q.view.name, simRoom)
			}
		}
		if h.pushed[q.view.conv] != receipt.Seq && q.first == nil {
			h.broken("entry %d is not published", receipt.Seq)
		}
		if (kind == seal.KindEpoch || k.listed.State == conversation.Closed) && h.moved[q.view.conv] != receipt.Seq {
			h.broken("the queue does not hear of entry %d", receipt.Seq)
		}
	}
}

// settle ends the history: the network and the disk work, everybody says what
// is left and reads to the end; then the whole is compared.
func (h *history) settle() {
	h.disk.faults = false
	h.memory = 4096
	h.server.Shrink(h.page, h.memory)
	drain := func() {
		for len(h.net) > 0 {
			h.deliver()
		}
	}
	rounds := 0
	for quiet := false; !quiet; {
		if rounds++; rounds > simSteps {
			h.broken("the clients do not come to rest")
		}
		drain()
		quiet = true
		for _, c := range h.clients {
			for _, v := range c.views {
				if h.disk.convs[v.conv] != nil && len(v.log) < len(h.disk.convs[v.conv].log) && h.reader(v) {
					v.fetches()
					quiet = false
				} else if len(v.outbox) > 0 {
					v.posts()
					quiet = quiet && len(v.outbox) == 0
				}
			}
		}
	}
	h.kill() // what is read now comes from the disk alone
	reader := &client{history: h, name: "a newcomer", owner: h.org.agents[0].cert.Hash(), staff: &h.org.agents[0]}
	h.clients = append(h.clients, reader)
	for conv := range h.disk.convs {
		v := reader.looks(conv)
		for h.reader(v) && len(v.log) < len(h.disk.convs[conv].log) {
			read := len(v.log)
			v.fetches()
			drain()
			if len(v.log) == read {
				h.broken("%s is given %d of %d entries", v.name, read, len(h.disk.convs[conv].log))
			}
		}
	}
	h.compare()
}

// reader reports whether a view's owner may read the conversation to its end.
func (h *history) reader(v *view) bool {
	return h.disk.convs[v.conv] != nil && h.server.May(context.Background(), v.actor(), policy.ReadEntries, v.conv) == nil
}

// loser looks at what is given to somebody of the department who did not accept:
// the log until somebody else did, and no wraps [S3].
func (h *history) loser(v *view, from uint64, p conversation.Page) {
	var taken uint64
	had := false
	for seq, entry := range h.disk.convs[v.conv].log {
		e := new(seal.Epoch)
		if seal.Parse(entry.Object, e) != nil {
			continue
		}
		has := slices.ContainsFunc(e.Members, func(m seal.Member) bool { return m.Role == seal.Department })
		if had && !has {
			taken = uint64(seq)
		}
		had = has
	}
	if len(p.Entries) > 0 && from+uint64(len(p.Entries))-1 > taken {
		h.broken("%s reads on after entry %d, in which somebody else accepted", v.name, taken)
	}
	if slices.ContainsFunc(p.Extras, func(o []byte) bool { return seal.KindOf(o) == seal.KindWrap }) {
		h.broken("%s is given wraps of what somebody else accepted", v.name)
	}
}

// compare asks the promises of the whole.
func (h *history) compare() {
	for hash, receipt := range h.acks {
		found := false
		for _, k := range h.disk.convs {
			if i, ok := k.hashes[hash]; ok {
				found = !found && uint64(i) == receipt.Seq
			}
		}
		if !found {
			h.broken("what was acknowledged as entry %d is lost or doubled", receipt.Seq)
		}
	}
	for _, c := range h.clients {
		for _, v := range c.views {
			k := h.disk.convs[v.conv]
			if k == nil {
				if len(v.said) > 0 {
					h.broken("%s's conversation is lost", v.name)
				}
				continue
			}
			for seq, object := range v.log {
				if seq >= len(k.log) || !bytes.Equal(k.log[seq].Object, object) {
					h.broken("%s has read an entry %d that is not in the log", v.name, seq)
				}
			}
			if h.reader(v) && (len(v.log) != len(k.log) || v.running != k.running) {
				h.broken("%s has read %d of %d entries, hash %x, not %x", v.name, len(v.log), len(k.log), v.running[:4], k.running[:4])
			}
			h.order(v, k)
		}
	}
	for conv, k := range h.disk.convs {
		h.listing(conv, k)
	}
}

// order: what a client was told is in the log is there, in the order of saying.
func (h *history) order(v *view, k *kept) {
	seen := map[[16]byte]int{}
	for seq, entry := range k.log {
		e := new(seal.Event)
		if seal.Parse(entry.Object, e) != nil {
			continue
		}
		cid := [16]byte(e.Ciphertext)
		if _, again := seen[cid]; !again {
			seen[cid] = seq
		}
	}
	last := -1
	for _, cid := range v.said {
		if seq, event := seen[cid]; event {
			if seq < last {
				h.broken("%s's words are in another order: %d after %d", v.name, seq, last)
			}
			last = seq
		}
	}
}

// listing compares what a queue shows with what the log says.
func (h *history) listing(conv [32]byte, k *kept) {
	state, members := conversation.Waiting, [][32]byte(nil)
	for _, entry := range k.log {
		epoch, event := new(seal.Epoch), new(seal.Event)
		switch {
		case seal.Parse(entry.Object, epoch) == nil:
			state, members = conversation.Waiting, nil
			for _, m := range epoch.Members {
				members = append(members, m.Certificate)
				if m.Role == seal.Agent {
					state = conversation.Taken
				}
			}
		case seal.Parse(entry.Object, event) == nil && event.Class == seal.ClassClose:
			state = conversation.Closed
		}
	}
	if l := k.listed; l.State != state || l.Seq+1 != uint64(len(k.log)) || !slices.Equal(l.Members, members) {
		h.broken("the queue shows %x as %+v, the log says state %d", conv[:3], l, state)
	}
}
