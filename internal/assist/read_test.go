package assist

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/aldaba-chat/aldaba/internal/authority"
	"github.com/aldaba-chat/aldaba/internal/chat"
	"github.com/aldaba-chat/aldaba/internal/seal"
)

const begin uint64 = 1_800_000_000_000

var (
	sealed   = [16]byte{1}
	assisted = [16]byte{2}
)

// place is an organisation, its server and what the server was brought.
type place struct {
	t      *testing.T
	office *authority.Office
	trust  *seal.Trust
	member *Member
	convs  map[[32]byte]*talk
	next   map[[32]byte]uint64
	log    bytes.Buffer

	read  []string
	fails error
	panic bool
	page  int
}

// talk is a conversation with everything that belongs to it.
type talk struct {
	visitor *seal.Seat
	entries [][]byte
	extras  [][]byte // wraps of everybody, certificates and key objects
}

func newPlace(t *testing.T) *place {
	t.Helper()
	p := &place{t: t, convs: map[[32]byte]*talk{}, next: map[[32]byte]uint64{}, page: 200}
	var err error
	if p.member, err = NewMember([SecretSize]byte{7}); err != nil {
		t.Fatal(err)
	}
	status, err := NewMember([SecretSize]byte{8})
	if err != nil {
		t.Fatal(err)
	}
	p.office, err = authority.New(authority.Options{
		Departments: []authority.Department{
			{ID: sealed, Name: "sealed", Mode: seal.Sealed}, {ID: assisted, Name: "assisted", Mode: seal.Assisted},
		},
		StatusKey: seal.PublicKey(status.sign), Custody: seal.Company, Now: begin, Server: p.member.Request(),
	})
	if err != nil {
		t.Fatal(err)
	}
	p.trust = seal.NewTrust(p.office.Org(), 0, true)
	p.learn(p.office.Objects()...)
	policy := p.trust.Policy()
	s := &seal.Status{Org: p.office.Org(), PolicyVersion: policy.Version, PolicyHash: policy.Hash(), IssuedAt: begin, NotAfter: begin + seal.Day}
	seal.Sign(s, s.Org, nil, status.sign)
	p.learn(s.Bytes())
	p.takesSeat()
	return p
}

func (p *place) learn(objects ...[]byte) {
	p.t.Helper()
	for _, object := range objects {
		if err := p.trust.Add(object); err != nil {
			p.t.Fatal(err)
		}
	}
}

func (p *place) takesSeat() {
	p.t.Helper()
	for _, own := range p.member.Places(p.trust) {
		p.learn(own.KeyObject.Bytes())
	}
}

func (p *place) begins(dept [16]byte) *talk {
	p.t.Helper()
	seat, objects, err := seal.Begin(p.trust, dept, begin)
	if err != nil {
		p.t.Fatal(err)
	}
	k := &talk{visitor: seat, entries: [][]byte{objects[0], objects[2]}, extras: objects[3:]}
	k.extras = append(k.extras, objects[1])
	k.extras = append(k.extras, p.office.Objects()...)
	for _, own := range p.member.Places(p.trust) {
		k.extras = append(k.extras, own.KeyObject.Bytes())
	}
	p.convs[seat.Conv()] = k
	return k
}

func (p *place) says(k *talk, text string) {
	p.t.Helper()
	entry, err := k.visitor.Say(seal.Payload{Type: seal.TypeText, Text: text}, begin)
	if err == nil {
		_, err = k.visitor.Take(entry, nil, begin, true)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	k.entries = append(k.entries, entry)
}

// Entries implements [Log].
func (p *place) Entries(_ context.Context, member, conv [32]byte, from uint64) (entries, extras [][]byte, err error) {
	k := p.convs[conv]
	if k == nil || !k.visitor.WasMember(func(owner [32]byte) bool { return owner == member }) {
		return nil, nil, &chat.Error{Kind: chat.KindNotFound, Message: "nothing"}
	}
	rest := k.entries[min(int(from), len(k.entries)):]
	return rest[:min(p.page, len(rest))], k.extras, nil
}

// Next, KeepNext and Behind implement [Store].
func (p *place) Next(_ context.Context, conv [32]byte) (uint64, error) { return p.next[conv], nil }

func (p *place) KeepNext(_ context.Context, conv [32]byte, next uint64) error {
	p.next[conv] = max(p.next[conv], next)
	return nil
}

func (p *place) Behind(_ context.Context, member, after [32]byte, limit int) (behind [][32]byte, err error) {
	for conv, k := range p.convs {
		if k.visitor.WasMember(func(owner [32]byte) bool { return owner == member }) && uint64(len(k.entries)) > p.next[conv] && bytes.Compare(conv[:], after[:]) > 0 {
			behind = append(behind, conv)
		}
	}
	slices.SortFunc(behind, func(a, b [32]byte) int { return bytes.Compare(a[:], b[:]) })
	return behind[:min(limit, len(behind))], nil
}

// Read implements [Reader].
func (p *place) Read(_ context.Context, conv [32]byte, line Line) error {
	if p.panic {
		panic("over " + line.Payload.Text)
	}
	if p.fails != nil {
		return p.fails
	}
	if k := p.convs[conv]; k == nil || line.Dept != assisted || line.From.Role != seal.Visitor || line.Time != begin {
		p.t.Errorf("got %+v", line)
	}
	p.read = append(p.read, fmt.Sprintf("%d %s", line.Seq, line.Payload.Text))
	return nil
}

func (p *place) desk() *Desk {
	return New(Options{
		Member: p.member, Trust: func() *seal.Trust { return p.trust }, Log: p, Store: p, Reader: p,
		Logger: slog.New(slog.NewTextHandler(&p.log, nil)),
	})
}

// hear reads what a desk has heard of, as its goroutine does.
func hear(t *testing.T, d *Desk, convs ...[32]byte) {
	t.Helper()
	for _, conv := range convs {
		d.Heard(conv)
	}
	d.mu.Lock()
	heard := d.heard
	d.heard = map[[32]byte]struct{}{}
	d.mu.Unlock()
	d.readAll(t.Context(), heard)
}

func (p *place) wants(texts ...string) {
	p.t.Helper()
	if !slices.Equal(p.read, texts) {
		p.t.Errorf("the reader got %q, not %q; log: %s", p.read, texts, &p.log)
	}
}

// [W1] [E15] The server reads what its roster says, and nothing else.
func TestDesk_ReadsAssistedConversationsOnly(t *testing.T) {
	p := newPlace(t)
	d := p.desk()
	open, closed := p.begins(assisted), p.begins(sealed)
	p.says(open, "hola")
	p.says(closed, "secreto")
	hear(t, d, open.visitor.Conv(), closed.visitor.Conv(), [32]byte{9})
	p.wants("2 hola")
	p.says(open, "¿hay alguien?")
	p.says(closed, "otro secreto")
	hear(t, d, open.visitor.Conv(), closed.visitor.Conv())
	p.wants("2 hola", "3 ¿hay alguien?")
	if p.next[open.visitor.Conv()] != 4 || len(p.next) != 1 || p.log.Len() > 0 {
		t.Errorf("kept %v, log %s", p.next, &p.log)
	}

	// It could not open the sealed one with everybody's wraps in its hands.
	keys := p.member.keys(p.member.Places(p.trust)[0])
	transcript, err := seal.NewTranscript(p.trust, closed.entries[0], seal.Expect{}, begin, true)
	if err != nil {
		t.Fatal(err)
	}
	seat := seal.NewSeat(transcript, keys)
	for _, entry := range closed.entries[1:] {
		if line, err := seat.Take(entry, closed.extras, begin, true); err != nil || line.Payload != nil || line.Hidden == nil {
			t.Errorf("got %+v, %v", line, err)
		}
	}
}

// What came while nobody read is caught up, once, in pages of any size.
func TestDesk_CatchesUpAfterARestart(t *testing.T) {
	p := newPlace(t)
	k := p.begins(assisted)
	p.says(k, "uno")
	hear(t, p.desk(), k.visitor.Conv())
	var want []string
	for n := range 9 {
		p.says(k, fmt.Sprint(n))
		want = append(want, fmt.Sprintf("%d %d", n+3, n))
	}
	p.says(p.begins(assisted), "nueva")
	p.page = 2
	p.read = nil
	d := p.desk()
	if err := d.catchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	hear(t, d)
	slices.Sort(p.read) // which conversation comes first is open
	want = append(want, "2 nueva")
	slices.Sort(want)
	p.wants(want...)
	p.read = nil
	if err := d.catchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	hear(t, d)
	p.wants()
}

// A reader that fails or panics holds up nothing but its own reading, and what
// was said gets into no log.
func TestDesk_TriesAgainWhatAReaderRefused(t *testing.T) {
	p := newPlace(t)
	d := p.desk()
	k, other := p.begins(assisted), p.begins(assisted)
	p.says(k, "primero")
	hear(t, d, k.visitor.Conv())
	for name, breaks := range map[string]func(bool){
		"error": func(on bool) {
			p.fails = nil
			if on {
				p.fails = errors.New("the disk is full")
			}
		},
		"panic": func(on bool) { p.panic = on },
	} {
		p.read = nil
		breaks(true)
		p.says(k, "palabra "+name)
		hear(t, d, k.visitor.Conv())
		if len(d.failed) != 1 || p.log.Len() == 0 {
			t.Errorf("%s: failed %v, log %q", name, d.failed, &p.log)
		}
		breaks(false)
		p.says(other, "entretanto "+name)
		hear(t, d, other.visitor.Conv())
		failed := d.failed
		d.failed = map[[32]byte]struct{}{}
		d.readAll(t.Context(), failed)
		seq := len(k.entries) - 1
		p.wants(fmt.Sprintf("%d entretanto %s", len(other.entries)-1, name), fmt.Sprintf("%d palabra %s", seq, name))
	}
	if strings.Contains(p.log.String(), "palabra") {
		t.Errorf("the log has what was said: %s", &p.log)
	}
}

// A conversation that began before the server's certificate was renewed is read
// on, beside those that begin later.
func TestDesk_ReadsWithEachOfItsCertificates(t *testing.T) {
	p := newPlace(t)
	d := p.desk()
	k := p.begins(assisted)
	p.says(k, "antes")
	hear(t, d, k.visitor.Conv())
	renewal, err := p.office.Renew(begin+1000, true)
	if err != nil {
		t.Fatal(err)
	}
	p.learn(renewal.Objects...)
	p.takesSeat()
	if n := len(p.member.Places(p.trust)); n != 2 {
		t.Fatalf("%d certificates", n)
	}
	later := p.begins(assisted)
	if k.visitor.Epoch().Members[2].Certificate == later.visitor.Epoch().Members[2].Certificate {
		t.Fatal("the new conversation has the old certificate")
	}
	p.says(k, "después")
	hear(t, d, k.visitor.Conv())
	p.says(later, "con otro")
	hear(t, d, later.visitor.Conv())
	p.wants("2 antes", "3 después", "2 con otro")

	// The old conversation takes the new certificate, by the visitor too [E19].
	newest := p.member.Places(p.trust)[0]
	members := slices.Clone(k.visitor.Epoch().Members)
	members[2] = seal.Member{
		Leaf: k.visitor.NextLeaf(), Role: seal.Server, Certificate: newest.Certificate.Hash(), KeyObject: newest.KeyObject.Hash(),
	}
	epoch, wraps, err := k.visitor.Change(seal.ReasonMembers, members, begin)
	if err == nil {
		_, err = k.visitor.Take(epoch, wraps, begin, true)
	}
	if err != nil {
		t.Fatal(err)
	}
	k.entries, k.extras = append(k.entries, epoch), append(append(k.extras, wraps...), p.office.Objects()...)
	k.extras = append(k.extras, newest.KeyObject.Bytes())
	p.says(k, "y seguimos")
	hear(t, d, k.visitor.Conv())
	p.wants("2 antes", "3 después", "2 con otro", "5 y seguimos")
}
