// Command member is the Go side of the differential test: an organisation's
// office, visitors and agents with the implementation of internal/seal, led by
// one request of JSON in each line and answering each with one line. It keeps
// everything in memory and talks to nobody else.
package main

import (
	"bufio"
	"crypto/ed25519"
	"crypto/hpke"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/go-json-experiment/json"

	"github.com/aldaba-chat/aldaba/internal/authority"
	"github.com/aldaba-chat/aldaba/internal/seal"
)

// request is one line of the leader. Bytes are hexadecimal.
type request struct {
	Op      string   `json:"op"`
	Who     int      `json:"who"`
	Now     uint64   `json:"now"`
	Conv    string   `json:"conv"`
	Text    string   `json:"text"`
	CID     string   `json:"cid"`
	Entry   string   `json:"entry"`
	Entries []string `json:"entries"`
	Wraps   []string `json:"wraps"`
	Objects []string `json:"objects"`
	Leaves  []uint16 `json:"leaves"`
	Cert    string   `json:"cert"`
	Leave   bool     `json:"leave"`
	Leaf    uint16   `json:"leaf"`
	From    uint32   `json:"from"`
	To      uint32   `json:"to"`
	Marks   []uint64 `json:"marks"`
	Fields  []field  `json:"fields"`
	Reason  byte     `json:"reason"`
	Request string   `json:"request"`
	MAC     string   `json:"mac"`
	Mode    byte     `json:"mode"`
}

// answer is one line back.
type answer struct {
	Rule    string   `json:"rule,omitempty"` // of a refusal
	Error   string   `json:"error,omitempty"`
	Who     int      `json:"who,omitempty"`
	Conv    string   `json:"conv,omitempty"`
	Org     string   `json:"org,omitempty"`
	Text    string   `json:"text,omitempty"`
	Objects []string `json:"objects,omitempty"` // public ones, or what was made
	Lines   []line   `json:"lines,omitempty"`
	State   *state   `json:"state,omitempty"`
}

// line is what an entry means to a member.
type line struct {
	Kind   string   `json:"kind"`
	Seq    uint64   `json:"seq"`
	Text   string   `json:"text,omitempty"`
	Rule   string   `json:"rule,omitempty"`
	Reason byte     `json:"reason,omitempty"`
	N      uint32   `json:"n,omitempty"`
	Marks  []uint64 `json:"marks,omitempty"`
	Fields []field  `json:"fields,omitempty"`
	Second []uint16 `json:"second,omitempty"`
}

type field struct {
	Name  string `json:"name"`
	Kind  byte   `json:"kind"`
	Value string `json:"value"`
}

type state struct {
	Seq     uint64   `json:"seq"`
	Log     string   `json:"log"`
	Epoch   uint32   `json:"epoch"`
	Members []uint16 `json:"members"`
	Closed  bool     `json:"closed"`
	Safety  string   `json:"safety"`
}

type person struct {
	keys        seal.Keys
	keyObject   [32]byte
	departments []seal.Keys
	seats       map[[32]byte]*seal.Seat
	trust       *seal.Trust
}

// world is what the leader plays with.
type world struct {
	dept    [16]byte
	office  *authority.Office
	status  ed25519.PrivateKey
	revoked []seal.Revocation
	trust   *seal.Trust // what the office would publish
	people  []*person
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 16<<20)
	w := &world{dept: [16]byte{0xd1}}
	for in.Scan() {
		var r request
		a := answer{}
		err := json.Unmarshal(in.Bytes(), &r, json.RejectUnknownMembers(true))
		if err == nil {
			a, err = w.do(r)
		}
		if err != nil {
			a = answer{Error: err.Error()}
			if refusal, ok := errors.AsType[seal.Refusal](err); ok {
				a.Rule = refusal.Rule
			}
		}
		out, err := json.Marshal(a)
		if err != nil {
			fmt.Fprintln(os.Stderr, "error:", err)
			os.Exit(1)
		}
		fmt.Println(string(out))
	}
}

func (w *world) do(r request) (answer, error) {
	switch r.Op {
	case "world":
		return w.found(r)
	case "invite":
		inv, _, err := w.office.Invite(authority.Invite{Name: r.Text, Role: seal.Agent, Departments: [][16]byte{w.dept}}, r.Now)
		return answer{Text: inv.String()}, err
	case "enrol":
		return w.enrol(r)
	case "keys":
		return w.wraps(r)
	case "status":
		object := w.newStatus(r.Now)
		return answer{Objects: []string{hex.EncodeToString(object)}}, w.trust.Add(object)
	case "revoke":
		return answer{}, w.revoke(r)
	case "agent":
		return w.agent(r)
	case "begin":
		return w.begin(r)
	case "learn":
		p := w.people[r.Who]
		for _, object := range r.Objects {
			if err := p.trust.Add(unhex(object)); err != nil {
				return answer{}, err
			}
		}
		return answer{}, nil
	case "take":
		return w.take(r)
	}
	return w.act(r)
}

// act makes the next entry as somebody, without taking it.
func (w *world) act(r request) (answer, error) {
	p := w.people[r.Who]
	seat := p.seats[[32]byte(unhex(r.Conv))]
	if seat == nil {
		return answer{}, fmt.Errorf("person %d does not read this conversation", r.Who)
	}
	if r.Op == "state" {
		return w.state(seat)
	}
	made := func(entry []byte, wraps [][]byte, err error) (answer, error) {
		if err != nil {
			return answer{}, err
		}
		return answer{Objects: encode(append([][]byte{entry}, wraps...)...)}, nil
	}
	members := func() []seal.Member { return slices.Clone(seat.Epoch().Members) }
	switch r.Op {
	case "say":
		payload := seal.Payload{Type: seal.TypeText, Text: r.Text}
		copy(payload.CID[:], unhex(r.CID))
		entry, err := seat.Say(payload, r.Now)
		return made(entry, nil, err)
	case "mark":
		if len(r.Marks) != 2 {
			return answer{}, errors.New("marks are delivered and read")
		}
		entry, err := seat.Say(seal.Payload{Type: seal.TypeMarks, Delivered: r.Marks[0], Read: r.Marks[1]}, r.Now)
		return made(entry, nil, err)
	case "form":
		payload := seal.Payload{Type: seal.TypeForm}
		copy(payload.CID[:], unhex(r.CID))
		for _, f := range r.Fields {
			payload.Fields = append(payload.Fields, seal.Field(f))
		}
		entry, err := seat.Say(payload, r.Now)
		return made(entry, nil, err)
	case "grant":
		entry, err := seat.Give(r.Leaf, r.From, r.To, r.Now)
		return made(entry, nil, err)
	case "close":
		entry, err := seat.Say(seal.Payload{Type: seal.TypeClose, Reason: r.Reason}, r.Now)
		return made(entry, nil, err)
	case "accept":
		return made(seat.Accept(p.keyObject, r.Now))
	case "rekey":
		return made(seat.Change(seal.ReasonRekey, nil, r.Now))
	case "reopen":
		return made(seat.Change(seal.ReasonReopen, nil, r.Now))
	case "remove":
		left := slices.DeleteFunc(members(), func(m seal.Member) bool { return slices.Contains(r.Leaves, m.Leaf) || m.Role == seal.Department })
		return made(seat.Change(seal.ReasonMembers, left, r.Now))
	case "transfer":
		return made(w.transfer(r, p, seat, members()))
	}
	return answer{}, fmt.Errorf("there is no op %q", r.Op)
}

func (w *world) transfer(r request, p *person, seat *seal.Seat, members []seal.Member) (epoch []byte, wraps [][]byte, err error) {
	cert := [32]byte(unhex(r.Cert))
	x := p.trust.Certificate(cert)
	key, err := newestKey(p.trust, r.Objects, x, r.Now)
	if err != nil {
		return nil, nil, err
	}
	if mine, ok := seat.Leaf(); ok && r.Leave {
		members = slices.DeleteFunc(members, func(m seal.Member) bool { return m.Leaf == mine || m.Role == seal.Department })
	}
	members = append(members, seal.Member{Leaf: seat.NextLeaf(), Role: x.Kind, Certificate: cert, KeyObject: key})
	return seat.Change(seal.ReasonMembers, members, r.Now)
}

func newestKey(trust *seal.Trust, objects []string, x *seal.Certificate, now uint64) ([32]byte, error) {
	for _, object := range objects {
		k := new(seal.KeyObject)
		if seal.Parse(unhex(object), k) == nil && x != nil {
			if _, err := trust.JudgeKey(k.Hash(), x, now); err == nil {
				return k.Hash(), nil
			}
		}
	}
	return [32]byte{}, seal.ErrBadKeyObject.Because("no key object of that device is known")
}

// found makes the organisation.
func (w *world) found(r request) (answer, error) {
	_, w.status, _ = ed25519.GenerateKey(rand.Reader)
	office, err := authority.New(authority.Options{
		Departments: []authority.Department{{ID: w.dept, Name: "support", Mode: r.Mode}},
		StatusKey:   seal.PublicKey(w.status), Custody: seal.Company, Now: r.Now,
	})
	if err != nil {
		return answer{}, err
	}
	w.office, w.people, w.revoked = office, nil, nil
	w.trust = seal.NewTrust(office.Org(), 0, true)
	objects := office.Objects()
	for _, object := range objects {
		if err := w.trust.Add(object); err != nil {
			return answer{}, err
		}
	}
	status := w.newStatus(r.Now)
	org := office.Org()
	return answer{Org: hex.EncodeToString(org[:]), Text: hex.EncodeToString(w.dept[:]), Objects: encode(append(objects, status)...)}, w.trust.Add(status)
}

func (w *world) newStatus(now uint64) []byte {
	policy := w.office.Policy()
	s := &seal.Status{
		Org: w.office.Org(), PolicyVersion: policy.Version, PolicyHash: policy.Hash(),
		IssuedAt: now, NotAfter: now + 23*seal.Hour, Revoked: w.revoked,
	}
	seal.Sign(s, s.Org, nil, w.status)
	return s.Bytes()
}

func (w *world) revoke(r request) error {
	cert := [32]byte(unhex(r.Cert))
	w.revoked = append(w.revoked, seal.Revocation{Certificate: cert, Since: r.Now})
	return nil
}

func (w *world) enrol(r request) (answer, error) {
	cert, err := w.office.Enrol(unhex(r.Request), [32]byte(unhex(r.MAC)), r.Now)
	if err != nil {
		return answer{}, err
	}
	return answer{Objects: encode(cert)}, w.trust.Add(cert)
}

// wraps gives the department's keys to a device whose certificate and key
// object come as objects: pairs of certificate and wrap.
func (w *world) wraps(r request) (answer, error) {
	x, k := new(seal.Certificate), new(seal.KeyObject)
	if err := errors.Join(seal.Parse(unhex(r.Objects[0]), x), seal.Parse(unhex(r.Objects[1]), k)); err != nil {
		return answer{}, err
	}
	wraps, err := w.office.DepartmentWraps(x, k, r.Now)
	if err != nil {
		return answer{}, err
	}
	var a answer
	for _, each := range wraps {
		a.Objects = append(a.Objects, encode(w.trust.Certificate(each.Department).Bytes(), each.Bytes)...)
	}
	return a, nil
}

// agent is a Go device, certified and with the department's keys.
func (w *world) agent(r request) (answer, error) {
	inv, _, err := w.office.Invite(authority.Invite{Name: r.Text, Role: seal.Agent, Departments: [][16]byte{w.dept}}, r.Now)
	if err != nil {
		return answer{}, err
	}
	p, err := w.newPerson(r)
	if err != nil {
		return answer{}, err
	}
	_, p.keys.Sign, _ = ed25519.GenerateKey(rand.Reader)
	e := &seal.Enrolment{Org: w.office.Org(), Invitation: inv.ID(), Kind: seal.Agent, SigKey: seal.PublicKey(p.keys.Sign), Time: r.Now}
	rand.Read(e.Subject[:])
	rand.Read(e.Device[:])
	seal.Sign(e, e.Org, nil, p.keys.Sign)
	cert, err := w.office.Enrol(e.Bytes(), inv.MAC(e.Bytes()), r.Now)
	if err != nil {
		return answer{}, err
	}
	x := new(seal.Certificate)
	if err := errors.Join(seal.Parse(cert, x), p.trust.Add(cert), w.trust.Add(cert)); err != nil {
		return answer{}, err
	}
	p.keys.Owner = x.Hash()
	k, err := p.keys.NewKeyObject(p.trust, x.NotBefore, x.NotAfter)
	if err != nil {
		return answer{}, err
	}
	p.keyObject = k.Hash()
	wraps, err := w.office.DepartmentWraps(x, k, r.Now)
	if err != nil {
		return answer{}, err
	}
	for _, each := range wraps {
		dept := p.trust.Certificate(each.Department)
		_, box, err := p.trust.DepartmentKeys(w.dept, r.Now)
		if err != nil {
			return answer{}, err
		}
		secret, err := seal.OpenDepartmentKey(each.Bytes, dept, box, p.keyObject, p.keys.KEM[p.keyObject])
		if err != nil {
			return answer{}, err
		}
		sign, kem, err := secret.Keys()
		if err != nil {
			return answer{}, err
		}
		p.departments = append(p.departments, seal.Keys{Owner: dept.Hash(), Sign: sign, KEM: map[[32]byte]hpke.PrivateKey{box.Hash(): kem}})
	}
	return answer{Who: len(w.people) - 1, Objects: encode(cert, k.Bytes()), Text: hex.EncodeToString(p.keys.Owner[:])}, w.trust.Add(k.Bytes())
}

// newPerson trusts what the leader hands over, and nothing of the office.
func (w *world) newPerson(r request) (*person, error) {
	p := &person{
		keys: seal.Keys{KEM: map[[32]byte]hpke.PrivateKey{}}, seats: map[[32]byte]*seal.Seat{},
		trust: seal.NewTrust(w.office.Org(), 0, false),
	}
	for _, object := range r.Objects {
		if err := p.trust.Add(unhex(object)); err != nil {
			return nil, err
		}
	}
	w.people = append(w.people, p)
	return p, nil
}

func (w *world) begin(r request) (answer, error) {
	p, err := w.newPerson(r)
	if err != nil {
		return answer{}, err
	}
	seat, objects, err := seal.Begin(p.trust, w.dept, r.Now)
	if err != nil {
		return answer{}, err
	}
	p.keys = seat.Keys()
	conv := seat.Conv()
	return answer{Who: len(w.people) - 1, Conv: hex.EncodeToString(conv[:]), Objects: encode(objects...)}, nil
}

// take takes entries as somebody; the first call for a conversation begins with
// its genesis.
func (w *world) take(r request) (answer, error) {
	p := w.people[r.Who]
	conv := [32]byte(unhex(r.Conv))
	wraps := make([][]byte, len(r.Wraps))
	for i, wrap := range r.Wraps {
		wraps[i] = unhex(wrap)
	}
	var a answer
	for _, entry := range r.Entries {
		seat := p.seats[conv]
		if seat == nil {
			t, err := seal.NewTranscript(p.trust, unhex(entry), seal.Expect{Conv: &conv}, r.Now, false)
			if err != nil {
				return a, err
			}
			p.seats[conv] = seal.NewSeat(t, p.keys, p.departments...)
			continue
		}
		took, err := seat.Take(unhex(entry), wraps, r.Now, true)
		if err != nil {
			return a, err
		}
		a.Lines = append(a.Lines, lineOf(took))
		for _, earlier := range took.Again {
			a.Lines = append(a.Lines, lineOf(earlier))
		}
	}
	return a, nil
}

func lineOf(took seal.Line) line {
	l := line{Seq: took.Seq, Second: took.Second}
	if refusal, ok := errors.AsType[seal.Refusal](took.Hidden); ok {
		l.Rule = refusal.Rule
	}
	switch {
	case took.Epoch != nil:
		l.Kind, l.N, l.Reason = "roster", took.Epoch.N, took.Epoch.Reason
	case took.Grant != nil:
		l.Kind, l.N = "grant", took.Grant.From
	case took.Payload == nil:
		l.Kind = "unreadable"
	case took.Payload.Type == seal.TypeText:
		l.Kind, l.Text = "message", took.Payload.Text
	case took.Payload.Type == seal.TypeClose:
		l.Kind, l.Reason = "closed", took.Payload.Reason
	case took.Payload.Type == seal.TypeMarks:
		l.Kind, l.Marks = "marks", []uint64{took.Payload.Delivered, took.Payload.Read}
	case took.Payload.Type == seal.TypeForm:
		l.Kind = "form"
		for _, f := range took.Payload.Fields {
			l.Fields = append(l.Fields, field(f))
		}
	default:
		l.Kind = "epoch bad"
	}
	return l
}

func (w *world) state(seat *seal.Seat) (answer, error) {
	safety, err := seat.SafetyNumber()
	if err != nil {
		return answer{}, err
	}
	log := seat.Log()
	s := &state{Seq: seat.Seq(), Log: hex.EncodeToString(log[:]), Epoch: seat.Epoch().N, Closed: seat.Closed(), Safety: safety}
	for _, m := range seat.Epoch().Members {
		s.Members = append(s.Members, m.Leaf)
	}
	return answer{State: s}, nil
}

func encode(objects ...[]byte) []string {
	texts := make([]string, len(objects))
	for i, object := range objects {
		texts[i] = hex.EncodeToString(object)
	}
	return texts
}

func unhex(text string) []byte {
	b, err := hex.DecodeString(text)
	if err != nil {
		panic("member: " + err.Error())
	}
	return b
}
