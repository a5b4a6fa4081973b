package aldabatest

import (
	"crypto/ed25519"
	"crypto/hpke"
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/aldaba-chat/aldaba/internal/authority"
	"github.com/aldaba-chat/aldaba/internal/chat"
	"github.com/aldaba-chat/aldaba/internal/seal"
	"github.com/aldaba-chat/aldaba/internal/wire"
)

// Person is a visitor or an agent with one device, which trusts the server in
// nothing: it verifies what it is given.
type Person struct {
	*World
	Keys        seal.Keys
	Trust       *seal.Trust
	Seat        *seal.Seat // the conversation that this person reads
	Cookie      string
	host        string // Chat or Console
	departments []seal.Keys
	keyObject   [32]byte
	enrolment   [32]byte // the device's request
	conv        [32]byte
	read        []string // texts, in order
}

// learn takes the organisation's public objects.
func (p *Person) learn() {
	p.T.Helper()
	bundle := p.List(p.host, http.MethodGet, "/v1/trust", "")
	if p.Trust == nil {
		policy := new(seal.Policy)
		p.must(seal.Parse(bundle[0], policy))
		p.Trust = seal.NewTrust(policy.Org, 0, false)
	}
	for _, object := range bundle {
		p.must(p.Trust.Add(object))
	}
}

func (p *Person) challenge() [32]byte {
	p.T.Helper()
	status, body, problem := p.Request(p.host, http.MethodPost, "/v1/challenges", "")
	if status != http.StatusOK || len(body) != 32 {
		p.T.Fatalf("a challenge: %+v", problem)
	}
	return [32]byte(body)
}

// Proves begins a session.
func (p *Person) Proves() {
	p.T.Helper()
	proof := seal.NewSession(p.Trust.Org(), p.challenge(), p.Keys, now())
	status, _, problem, cookie := p.exchange(p.host, http.MethodPost, "/v1/sessions", p.Cookie, proof)
	if status != http.StatusOK {
		p.T.Fatalf("a session: %+v", problem)
	}
	p.Cookie = cookie
}

// Visitor comes to the page and begins a conversation with the sealed department.
func (w *World) Visitor() *Person {
	w.T.Helper()
	return w.VisitorOf(Dept)
}

// VisitorOf begins a conversation with a department.
func (w *World) VisitorOf(dept [16]byte) *Person {
	w.T.Helper()
	return w.VisitorAt("", dept)
}

// VisitorAt begins a conversation with a department on the pages of a site.
func (w *World) VisitorAt(site string, dept [16]byte) *Person {
	w.T.Helper()
	p, problem := w.TriesToBegin(site, dept)
	if problem.Status != 0 {
		w.T.Fatalf("begin a conversation: %+v", problem)
	}
	return p
}

// TriesToBegin is VisitorAt that may be refused.
func (w *World) TriesToBegin(site string, dept [16]byte) (*Person, Problem) {
	w.T.Helper()
	p := &Person{World: w, host: Chat}
	p.learn()
	seat, objects, err := seal.Begin(p.Trust, dept, now())
	w.must(err)
	p.Seat, p.Keys, p.conv = seat, seat.Keys(), seat.Conv()
	proof := seal.NewSession(p.Trust.Org(), p.challenge(), p.Keys, now())
	path := "/v1/conversations"
	if site != "" {
		path += "?site=" + site
	}
	var problem Problem
	_, _, problem, p.Cookie = w.exchange(p.host, http.MethodPost, path, "", append([][]byte{proof}, objects...)...)
	return p, problem
}

// Conv is the conversation that this person reads.
func (p *Person) Conv() [32]byte { return p.conv }

// Asks sends a request without objects, with this person's session.
func (p *Person) Asks(method, path string) (int, []byte, Problem) {
	p.T.Helper()
	return p.Request(p.host, method, path, p.Cookie)
}

// Agent is invited, asks for a certificate and gets the department's keys.
func (w *World) Agent(name string) *Person {
	w.T.Helper()
	return w.staff(authority.Invite{Name: name, Role: seal.Agent})
}

// Supervisor is likewise somebody who watches over the departments.
func (w *World) Supervisor(name string) *Person {
	w.T.Helper()
	return w.staff(authority.Invite{Name: name, Role: seal.Supervisor})
}

// SecondDevice is another device of an agent.
func (w *World) SecondDevice(of *Person, name string) *Person {
	w.T.Helper()
	return w.staff(authority.Invite{Name: name, Role: seal.Agent, Subject: of.Trust.Certificate(of.Keys.Owner).Subject})
}

func (w *World) staff(who authority.Invite) *Person {
	w.T.Helper()
	who.Departments = [][16]byte{Dept, Assisted}
	inv, _, err := w.office.Invite(who, now())
	w.must(err)
	p := &Person{World: w, host: Console, Cookie: w.SignIn(who.Name, map[seal.Role]chat.Role{seal.Agent: chat.RoleAgent, seal.Supervisor: chat.RoleSupervisor}[who.Role])}
	p.learn()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	w.must(err)
	request := enrolment(p, private, inv, who, now())
	mac := inv.MAC(request.Bytes())
	status, _, problem := w.Request(p.host, http.MethodPost, "/v1/enrolments", p.Cookie, request.Bytes(), mac[:])
	if status != http.StatusAccepted {
		w.T.Fatalf("ask for a certificate: %+v", problem)
	}
	w.Round()
	p.enrolment = request.Hash()
	answer := w.List(p.host, http.MethodGet, "/v1/enrolments/"+wire.Text(p.enrolment[:]), "")
	if len(answer) != 1 {
		w.T.Fatalf("the office gave %d certificates", len(answer))
	}
	w.must(p.Trust.Add(answer[0]))
	certificate := new(seal.Certificate)
	w.must(seal.Parse(answer[0], certificate))
	p.Keys = seal.Keys{Owner: certificate.Hash(), Sign: private, KEM: map[[32]byte]hpke.PrivateKey{}}
	own, err := p.Keys.NewKeyObject(p.Trust, certificate.NotBefore, certificate.NotAfter)
	w.must(err)
	p.keyObject = own.Hash()
	p.Proves()
	if status, _, problem := w.Request(p.host, http.MethodPost, "/v1/keyobjects", p.Cookie, own.Bytes()); status != http.StatusNoContent {
		w.T.Fatalf("hand in a key object: %+v", problem)
	}
	w.Round()
	p.learn()
	keys := p.List(p.host, http.MethodGet, "/v1/department-keys", p.Cookie)
	if len(keys) == 0 {
		w.T.Fatal("the office gave no department keys")
	}
	for pair := range slices.Chunk(keys, 2) {
		p.takeDepartment(pair[0], pair[1])
	}
	return p
}

// enrolment is a device's request.
func enrolment(p *Person, private ed25519.PrivateKey, inv seal.Invitation, who authority.Invite, at uint64) *seal.Enrolment {
	request := &seal.Enrolment{
		Org: p.Trust.Org(), Invitation: inv.ID(), Kind: who.Role, Subject: who.Subject, SigKey: seal.PublicKey(private), Time: at,
	}
	if request.Subject == ([16]byte{}) {
		rand.Read(request.Subject[:])
	}
	rand.Read(request.Device[:])
	seal.Sign(request, request.Org, nil, private)
	return request
}

// request is one of a device that nobody invited.
func (w *World) request(p *Person, at uint64) (request, mac []byte) {
	w.T.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	w.must(err)
	inv := seal.NewInvitation()
	e := enrolment(p, private, inv, authority.Invite{Role: seal.Agent}, at)
	sum := inv.MAC(e.Bytes())
	return e.Bytes(), sum[:]
}

func (p *Person) takeDepartment(certificate, wrap []byte) {
	p.T.Helper()
	x := new(seal.Certificate)
	p.must(seal.Parse(certificate, x))
	_, keyObject, err := p.Trust.DepartmentKeys(x.Dept, now())
	p.must(err)
	k, err := seal.OpenDepartmentKey(wrap, x, keyObject, p.keyObject, p.Keys.KEM[p.keyObject])
	p.must(err)
	sign, kem, err := k.Keys()
	p.must(err)
	p.departments = append(p.departments, seal.Keys{
		Owner: x.Hash(), Sign: sign, KEM: map[[32]byte]hpke.PrivateKey{keyObject.Hash(): kem},
	})
}

// Opens makes a conversation the one that this person reads, from its start.
func (p *Person) Opens(conv [32]byte) {
	p.T.Helper()
	p.Seat, p.conv, p.read = nil, conv, nil
	p.Catches()
}

func (p *Person) path() string { return "/v1/conversations/" + wire.Text(p.conv[:]) + "/entries" }

// Catches up with the log.
func (p *Person) Catches() {
	p.T.Helper()
	path := p.path()
	if p.Seat != nil {
		path += fmt.Sprintf("?after=%d", p.Seat.Seq())
	}
	var entries, wraps [][]byte
	for _, object := range p.List(p.host, http.MethodGet, path, p.Cookie) {
		switch seal.KindOf(object) {
		case seal.KindGenesis, seal.KindEpoch, seal.KindEvent, seal.KindGrant:
			entries = append(entries, object)
		case seal.KindWrap:
			wraps = append(wraps, object)
		default:
			p.must(p.Trust.Add(object))
		}
	}
	if p.Seat == nil {
		t, err := seal.NewTranscript(p.Trust, entries[0], seal.Expect{Conv: &p.conv}, now(), false)
		p.must(err)
		p.Seat, entries = seal.NewSeat(t, p.Keys, p.departments...), entries[1:]
	}
	for _, entry := range entries {
		line, err := p.Seat.Take(entry, wraps, now(), false)
		p.must(err)
		for _, each := range append([]seal.Line{line}, line.Again...) {
			if each.Payload != nil && each.Payload.Type == seal.TypeText {
				p.read = append(p.read, each.Payload.Text)
			}
		}
	}
}

// Posts hands in an entry with what belongs to it, and catches up.
func (p *Person) Posts(entry []byte, extras [][]byte, err error) {
	p.T.Helper()
	p.must(err)
	status, _, problem := p.Request(p.host, http.MethodPost, p.path(), p.Cookie, append([][]byte{entry}, extras...)...)
	if status != http.StatusCreated {
		p.T.Fatalf("hand in an entry: %+v", problem)
	}
	p.Catches()
}

// Says sends a text.
func (p *Person) Says(text string) {
	p.T.Helper()
	entry, err := p.Seat.Say(seal.Payload{Type: seal.TypeText, Text: text}, now())
	p.Posts(entry, nil, err)
}

// Closes ends the conversation.
func (p *Person) Closes() {
	p.T.Helper()
	entry, err := p.Seat.Say(seal.Payload{Type: seal.TypeClose, Reason: 1}, now())
	p.Posts(entry, nil, err)
}

// Accepts takes a visitor's conversation.
func (p *Person) Accepts(visitor *Person) {
	p.T.Helper()
	if status, problem := p.TriesToAccept(visitor); status != http.StatusCreated {
		p.T.Fatalf("accept: %+v", problem)
	}
	p.Catches()
}

// TriesToAccept is Accepts that may be refused.
func (p *Person) TriesToAccept(visitor *Person) (int, Problem) {
	p.T.Helper()
	p.Opens(visitor.conv)
	epoch, wraps, err := p.Seat.Accept(p.keyObject, now())
	p.must(err)
	status, _, problem := p.Request(p.host, http.MethodPost, p.path(), p.Cookie, append([][]byte{epoch}, wraps...)...)
	return status, problem
}

// BringsIn makes another person's device a member.
func (p *Person) BringsIn(other *Person) {
	p.T.Helper()
	for _, object := range [][]byte{other.Trust.Certificate(other.Keys.Owner).Bytes(), other.Trust.KeyObject(other.keyObject).Bytes()} {
		p.must(p.Trust.Add(object))
	}
	members := append(slices.Clone(p.Seat.Epoch().Members), seal.Member{
		Leaf: p.Seat.NextLeaf(), Role: seal.Agent, Certificate: other.Keys.Owner, KeyObject: other.keyObject,
	})
	epoch, wraps, err := p.Seat.Change(seal.ReasonMembers, members, now())
	p.Posts(epoch, wraps, err)
}

// Sees fails unless the texts of the conversation are these, in this order.
func (p *Person) Sees(texts ...string) {
	p.T.Helper()
	p.Catches()
	if !slices.Equal(p.read, texts) {
		p.T.Fatalf("reads %q, not %q", strings.Join(p.read, " | "), strings.Join(texts, " | "))
	}
}
