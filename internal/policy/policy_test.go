package policy

import (
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cedar-policy/cedar-go"

	"github.com/aldaba-chat/aldaba/internal/chat"
)

var update = flag.Bool("update", false, "write testdata/matrix.golden anew")

const golden = "testdata/matrix.golden"

var here, elsewhere = [16]byte{1}, [16]byte{2}

// relation is how somebody stands to a conversation or department.
type relation struct {
	name    string
	of      []([16]byte) // the actor's departments
	own, in bool
	former  bool
}

var relations = []relation{
	{name: "nothing"},
	{name: "of another department", of: [][16]byte{elsewhere}},
	{name: "of the department", of: [][16]byte{elsewhere, here}},
	{name: "began it", own: true},
	{name: "member", in: true, former: true},
	{name: "member of the department", of: [][16]byte{here}, in: true, former: true},
	{name: "was a member", former: true},
}

// states are those of a conversation, as a resource has them.
var states = []struct {
	name            string
	waiting, closed bool
}{{"waiting", true, false}, {"taken", false, false}, {"closed", false, true}}

// cell is one question of the matrix.
type cell struct {
	name string
	Request
}

func cells() []cell {
	var all []cell
	for _, role := range slices.Sorted(maps.Keys(roles)) {
		for _, action := range slices.Sorted(maps.Keys(actions)) {
			name := fmt.Sprintf("%-13s %-17s", strings.ToLower(string(roles[role])), action)
			if actions[action] == organisation {
				all = append(all, cell{name, Request{Actor{Role: role}, action, Resource{}}})
				continue
			}
			for _, r := range relations {
				actor := Actor{Role: role, Departments: r.of}
				if actions[action] == ofDepartment {
					all = append(all, cell{name + " " + r.name, Request{actor, action, Resource{Department: here}}})
					continue
				}
				for _, s := range states {
					resource := Resource{Department: here, Own: r.own, Member: r.in, Former: r.former, Waiting: s.waiting, Closed: s.closed}
					all = append(all, cell{fmt.Sprintf("%s %s, %s", name, s.name, r.name), Request{actor, action, resource}})
				}
			}
		}
	}
	return all
}

// matrix asks everything and lists what is allowed.
func (p *Policy) matrix(t *testing.T) string {
	t.Helper()
	var list strings.Builder
	questions, allowed := cells(), 0
	for _, c := range questions {
		d := p.Decide(c.Request)
		if d.Err != nil {
			t.Fatalf("%s: %v", c.name, d.Err)
		}
		if d.Allowed {
			allowed++
			fmt.Fprintf(&list, "%-67s %s\n", c.name, strings.Join(d.Policies, " "))
		}
	}
	return fmt.Sprintf("# Role, action, state and relation, and the policy that permits it. What is not\n# here is denied: %d of %d questions are allowed.\n%s", allowed, len(questions), &list)
}

func open(t testing.TB) *Policy {
	t.Helper()
	p, err := New()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Everything that is allowed stands in a file that a reviewer reads [T05].
func TestMatrix(t *testing.T) {
	got := open(t).matrix(t)
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got == string(want) {
		return
	}
	was, is := strings.Split(string(want), "\n"), strings.Split(got, "\n")
	for _, line := range was {
		if !slices.Contains(is, line) {
			t.Errorf("no more: %s", line)
		}
	}
	for _, line := range is {
		if !slices.Contains(was, line) {
			t.Errorf("new: %s", line)
		}
	}
	t.Error("the matrix has changed: look at each line, then go test ./internal/policy -update")
}

// Every policy decides something: without it the matrix is another.
func TestMatrix_NeedsEveryPolicy(t *testing.T) {
	p := open(t)
	whole := p.matrix(t)
	for id, policy := range maps.Collect(p.rules.policies.All()) {
		p.rules.policies.Remove(id)
		if p.matrix(t) == whole {
			t.Errorf("the policy %s decides nothing", id)
		}
		p.rules.policies.Add(id, policy)
	}
	if p.matrix(t) != whole {
		t.Error("the policies are not back")
	}
}

// Who has no business with a conversation learns nothing of it, and nobody
// reads by office: neither the administrator nor a supervisor [T05].
func TestContentIsForMembers(t *testing.T) {
	p := open(t)
	for _, c := range cells() {
		if c.Action != ReadEntries && c.Action != AppendEntry && c.Action != Follow {
			continue
		}
		r := c.Resource
		right := r.Own && c.Actor.Role == chat.RoleVisitor || r.Member && c.Actor.Role != chat.RoleAdministrator && c.Actor.Role != chat.RoleVisitor && c.Actor.Role != 0
		waits := c.Actor.Role == chat.RoleAgent && r.Waiting && slices.Contains(c.Actor.Departments, r.Department) && c.Action != AppendEntry
		told := c.Actor.Role == chat.RoleSystem && r.Former && c.Action == ReadEntries
		if d := p.Decide(c.Request); d.Allowed && !right && !waits && !told {
			t.Errorf("%s: allowed by %s", c.name, d.Policies)
		}
	}
}

// A question that makes no sense is denied, and says why to the log.
func TestDecide_DeniesNonsense(t *testing.T) {
	p := open(t)
	for name, q := range map[string]Request{
		"no question":         {},
		"an unknown action":   {Action: "ReadAll"},
		"another letter case": {Action: "seesite"},
		"an unknown role":     {Actor: Actor{Role: 99}, Action: SeeSite},
	} {
		if d := p.Decide(q); d.Allowed || d.Reason != Failed || d.Err == nil || d.Set != p.Set() {
			t.Errorf("%s: %+v", name, d)
		}
	}
	d := p.Decide(Request{Action: ReadEntries})
	if d.Allowed || d.Reason != NoPermit || d.Policies != nil || d.Err != nil {
		t.Errorf("a stranger reads: %+v", d)
	}
	own := Resource{Own: true, Closed: true}
	d = p.Decide(Request{Actor{Role: chat.RoleVisitor}, Typing, own})
	if d.Allowed || d.Reason != Forbidden || !slices.Equal(d.Policies, []string{"nobody-types-after-the-close"}) {
		t.Errorf("a prohibition: %+v", d)
	}
}

// with is the embedded folder with one file more, or another.
func with(t *testing.T, name, content string) fs.FS {
	t.Helper()
	folder := fstest.MapFS{}
	for _, pattern := range []string{"*.cedar", "*.cedarschema"} {
		names, err := fs.Glob(embedded, pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range names {
			text, err := fs.ReadFile(embedded, n)
			if err != nil {
				t.Fatal(err)
			}
			folder[n] = &fstest.MapFile{Data: text}
		}
	}
	folder[name] = &fstest.MapFile{Data: []byte(content)}
	return folder
}

// The program does not start with policies that say something else than was
// meant.
func TestNew_RefusesWhatCannotBeMeant(t *testing.T) {
	schema, err := fs.ReadFile(embedded, "schema.cedarschema")
	if err != nil {
		t.Fatal(err)
	}
	const head = `@id("x") `
	for name, test := range map[string]struct{ file, content, want string }{
		"no policy at all":            {"x.cedar", "permit", "x.cedar"},
		"an action that is not there": {"x.cedar", head + `permit (principal, action == Action::"Raed", resource);`, "Raed"},
		"a role that is not there":    {"x.cedar", head + `permit (principal is Agnet, action, resource);`, "Agnet"},
		"a fact that is not there": {
			"x.cedar",
			head + `forbid (principal, action == Action::"ReadEntries", resource) when { resource.clsoed };`, "clsoed",
		},
		"a fact of another resource": {"x.cedar", head + `forbid (principal, action, resource) when { resource.closed };`, "closed"},
		"apples and pears": {
			"x.cedar",
			head + `forbid (principal, action == Action::"ReadEntries", resource) when { resource.closed == "yes" };`, "type",
		},
		"no name":              {"x.cedar", `permit (principal, action == Action::"SeeSite", resource);`, "@id"},
		"a name twice":         {"x.cedar", `@id("visitor-begins") permit (principal, action == Action::"SeeSite", resource);`, "two policies"},
		"no schema":            {"schema.cedarschema", "entity", "schema"},
		"an action too many":   {"schema.cedarschema", string(schema) + `action Dream appliesTo { principal: [Agent], resource: [Organisation] };`, "Dream"},
		"an action is missing": {"schema.cedarschema", strings.Replace(string(schema), ", SeeSetup", "", 1), "SeeSetup"},
	} {
		if p, err := load(with(t, test.file, test.content)); err == nil || p != nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	p, err := load(with(t, "x.cedar", head+`permit (principal, action == Action::"SeeSite", resource);`))
	if err != nil {
		t.Fatal(err)
	}
	if p.Set() == open(t).Set() {
		t.Error("other policies have the same hash")
	}
}

// Cedar passes over a prohibition that fails while it is evaluated. Here the
// answer is no [fail closed].
func TestDecide_AFailingPolicyDenies(t *testing.T) {
	p := open(t)
	var forbid cedar.Policy
	if err := forbid.UnmarshalCedar([]byte(`forbid (principal, action == Action::"SeeSite", resource) when { resource.missing };`)); err != nil {
		t.Fatal(err)
	}
	q := Request{Action: SeeSite}
	if d := p.Decide(q); !d.Allowed {
		t.Fatalf("%+v", d)
	}
	p.rules.policies.Add("fails", &forbid)
	if d := p.Decide(q); d.Allowed || d.Reason != Failed || !strings.Contains(d.Err.Error(), "fails") {
		t.Errorf("%+v", d)
	}
}

// Facts that the schema does not expect are refused before any policy sees them.
func TestRules_ValidateWhatIsAsked(t *testing.T) {
	r := open(t).rules
	agent, _ := Actor{Role: chat.RoleAgent}.entity()
	whole := Resource{}.entity(conversation)
	for name, test := range map[string]struct {
		who, what cedar.Entity
		action    Action
	}{
		"an actor without facts":     {cedar.Entity{UID: agent.UID}, whole, ReadEntries},
		"a resource without facts":   {agent, cedar.Entity{UID: whole.UID}, ReadEntries},
		"a resource of another type": {agent, Resource{}.entity(organisation), ReadEntries},
		"an actor of no type":        {cedar.Entity{UID: cedar.NewEntityUID("Ghost", "x")}, whole, ReadEntries},
		"an action of no name":       {agent, whole, ""},
	} {
		if decision, _, err := r.decide(test.who, test.action, test.what); err == nil || decision == cedar.Allow {
			t.Errorf("%s: %v", name, decision)
		}
	}
}

func BenchmarkDecide(b *testing.B) {
	p := open(b)
	q := Request{Actor{Role: chat.RoleAgent, Departments: [][16]byte{here, elsewhere}}, ReadEntries, Resource{Department: here, Waiting: true}}
	for b.Loop() {
		p.Decide(q)
	}
}
