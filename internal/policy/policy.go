// Package policy is the one door: who may do what to what. Whoever serves a
// request asks [Policy.Decide] first, with the facts that were worked out from
// signed objects and accounts, and does nothing without an answer of yes.
//
// The policies are the .cedar files beside this one, in words that an auditor
// reads; schema.cedarschema says what they may speak of. They are checked when
// the program starts: one that does not parse, names what does not exist or
// compares what cannot be compared stops it. At run time everything that goes
// wrong is a no: a request that the schema does not know, facts that are
// missing, a policy that fails while it is evaluated (Cedar itself would pass
// over it, and with it over a prohibition).
//
// What was decided for every role, action and state stands in
// testdata/matrix.golden; `go test ./internal/policy -update` writes it anew.
// What may be asked for is decided here; what can be read is decided by keys.
package policy

import (
	"crypto/sha256"
	"embed"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/cedar-policy/cedar-go"

	"github.com/aldaba-chat/aldaba/internal/chat"
)

//go:embed *.cedar schema.cedarschema
var embedded embed.FS

// Actor is who asks.
type Actor struct {
	// Role is as what they ask; without one they are a stranger, who has proven
	// nothing.
	Role chat.Role
	// Key is what was proven: the hash of a device's certificate, or a visitor's
	// conversation. Zero where no key is needed.
	Key [32]byte
	// Departments are those of an agent or supervisor.
	Departments [][16]byte
}

// Resource is what is asked about, by the facts that count. Actions on the
// organisation need none, [WatchQueue] the department, the others all.
type Resource struct {
	Department [16]byte
	Own        bool // the visitor who asks began the conversation
	Member     bool // who asks stands in its roster now
	Former     bool // or once did
	Waiting    bool // it is open, and nobody who answers stands in its roster
	Closed     bool
}

// Request is a question to the door.
type Request struct {
	Actor    Actor
	Action   Action
	Resource Resource
}

// Reason says why a decision is as it is.
type Reason string

// The reasons.
const (
	Permitted Reason = "permitted" // by the policies named
	Forbidden Reason = "forbidden" // by the policies named
	NoPermit  Reason = "no permit" // no policy permits it
	Failed    Reason = "failed"    // the question or a policy is wrong: ours to mend
)

// Decision is the answer.
type Decision struct {
	Allowed  bool
	Reason   Reason
	Policies []string // the ids of those that decided, in order
	Set      [32]byte // SHA-256 of the policies and their schema
	Err      error    // what went wrong, for the log; only when it failed
}

// Policy decides. It is safe for concurrent use.
type Policy struct {
	rules *rules
	set   [32]byte
}

// New reads and checks the policies; an error must stop the program.
func New() (*Policy, error) { return load(embedded) }

// load takes the policies of a folder, each under its @id.
func load(folder fs.FS) (*Policy, error) {
	schema, err := fs.ReadFile(folder, "schema.cedarschema")
	if err != nil {
		return nil, fmt.Errorf("read the policies' schema: %w", err)
	}
	names, err := fs.Glob(folder, "*.cedar")
	if err != nil {
		return nil, fmt.Errorf("look for policies: %w", err)
	}
	sum := sha256.New()
	digest := func(name string, content []byte) {
		for _, part := range [][]byte{[]byte(name), content} {
			_ = binary.Write(sum, binary.BigEndian, uint64(len(part))) // a hash takes everything
			sum.Write(part)
		}
	}
	digest("schema.cedarschema", schema)
	r, err := newRules(schema)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		content, err := fs.ReadFile(folder, name)
		if err != nil {
			return nil, fmt.Errorf("read policies: %w", err)
		}
		digest(name, content)
		if err := r.add(name, content); err != nil {
			return nil, err
		}
	}
	if err := r.knows(actions); err != nil {
		return nil, err
	}
	return &Policy{rules: r, set: [32]byte(sum.Sum(nil))}, nil
}

// Set is the SHA-256 of the policies and their schema, as in every [Decision].
func (p *Policy) Set() [32]byte { return p.set }

// Decide answers a question. Whatever is wrong with it, the answer is no.
func (p *Policy) Decide(q Request) Decision {
	no := func(err error) Decision { return Decision{Reason: Failed, Set: p.set, Err: err} }
	on, ok := actions[q.Action]
	if !ok {
		return no(fmt.Errorf("policy: there is no action %q", q.Action))
	}
	who, err := q.Actor.entity()
	if err != nil {
		return no(err)
	}
	decision, diagnostic, err := p.rules.decide(who, q.Action, q.Resource.entity(on))
	if err != nil {
		return no(fmt.Errorf("policy: %s: %w", q.Action, err))
	}
	d := Decision{Allowed: decision == cedar.Allow, Reason: NoPermit, Set: p.set}
	for _, r := range diagnostic.Reasons {
		d.Policies = append(d.Policies, string(r.PolicyID))
	}
	slices.Sort(d.Policies)
	switch {
	case d.Allowed:
		d.Reason = Permitted
	case len(d.Policies) > 0:
		d.Reason = Forbidden
	}
	return d
}

// roles are the types of the schema.
var roles = map[chat.Role]cedar.EntityType{
	0:                      "Stranger",
	chat.RoleVisitor:       "Visitor",
	chat.RoleAgent:         "Agent",
	chat.RoleSupervisor:    "Supervisor",
	chat.RoleAdministrator: "Administrator",
	chat.RoleSystem:        "System",
}

// entity tells Cedar about an actor.
func (a Actor) entity() (cedar.Entity, error) {
	name, ok := roles[a.Role]
	if !ok {
		return cedar.Entity{}, fmt.Errorf("policy: %s", a.Role)
	}
	facts := cedar.RecordMap{}
	if a.Role == chat.RoleAgent || a.Role == chat.RoleSupervisor {
		departments := make([]cedar.Value, len(a.Departments))
		for i, d := range a.Departments {
			departments[i] = department(d)
		}
		facts["departments"] = cedar.NewSet(departments...)
	}
	return cedar.Entity{UID: cedar.NewEntityUID(name, "who asks"), Attributes: cedar.NewRecord(facts)}, nil
}

// entity tells Cedar about a resource of a type.
func (r Resource) entity(on kind) cedar.Entity {
	facts := cedar.RecordMap{}
	if on != organisation {
		facts["department"] = department(r.Department)
	}
	if on == conversation {
		facts["own"], facts["member"], facts["former"] = cedar.Boolean(r.Own), cedar.Boolean(r.Member), cedar.Boolean(r.Former)
		facts["waiting"], facts["closed"] = cedar.Boolean(r.Waiting), cedar.Boolean(r.Closed)
	}
	return cedar.Entity{UID: cedar.NewEntityUID(cedar.EntityType(on), "this"), Attributes: cedar.NewRecord(facts)}
}

func department(id [16]byte) cedar.String { return cedar.String(hex.EncodeToString(id[:])) }

// knows refuses a schema and a list of actions that differ.
func (r *rules) knows(ours map[Action]kind) error {
	var errs []error
	for action, on := range ours {
		if !r.applies(action, on) {
			errs = append(errs, fmt.Errorf("the schema does not know the action %s on a %s", action, on))
		}
	}
	for _, action := range r.actions() {
		if _, ok := ours[Action(action)]; !ok {
			errs = append(errs, fmt.Errorf("the schema has the action %s, which nobody asks for", action))
		}
	}
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(errs...)
}
