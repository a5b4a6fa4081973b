package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/aldaba-chat/aldaba/internal/chat"
	"github.com/aldaba-chat/aldaba/internal/policy"
)

func door(t *testing.T) *policy.Policy {
	t.Helper()
	p, err := policy.New()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// rolesOf are the roles that an action is open to at best: to the visitor of the
// conversation, a member, somebody of the department.
func rolesOf(p *policy.Policy, actions []policy.Action) []string {
	dept := [16]byte{1}
	var names []string
	for role := range chat.RoleSystem + 1 {
		who := policy.Actor{Role: role, Departments: [][16]byte{dept}}
		what := policy.Resource{Department: dept, Own: role == chat.RoleVisitor, Member: role != chat.RoleVisitor, Waiting: true}
		name := "stranger"
		if role.Valid() {
			name = role.String()
		}
		open := func(a policy.Action) bool {
			return p.Decide(policy.Request{Actor: who, Action: a, Resource: what}).Allowed
		}
		if slices.ContainsFunc(actions, open) {
			names = append(names, name)
		}
	}
	return names
}

// Every route names its action, and who may come in at best stands in a file
// that a reviewer reads [T05].
func TestRoutes_HaveActions(t *testing.T) {
	const golden = "testdata/routes.golden"
	p := door(t)
	var list strings.Builder
	list.WriteString("# Route, actions of which one is enough, and the roles that it is open to at best.\n")
	all := slices.Clone(routes)
	for _, o := range scaffold(t).operations {
		all = append(all, route{pattern: o.method + " " + o.path, may: may(o.action)})
	}
	for _, route := range all {
		var names []string
		for _, action := range route.may {
			if !action.Known() {
				t.Errorf("%s: there is no action %q", route.pattern, action)
			}
			if action.AboutConversation() != strings.Contains(route.pattern, "{conv}") {
				t.Errorf("%s: the action %s and the address do not speak of the same", route.pattern, action)
			}
			names = append(names, string(action))
		}
		if len(names) == 0 {
			t.Errorf("%s has no action", route.pattern)
		}
		fmt.Fprintf(&list, "%-40s %-21s %s\n", route.pattern, strings.Join(names, " "), strings.Join(rolesOf(p, route.may), " "))
	}
	if *update {
		if err := os.WriteFile(golden, []byte(list.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if list.String() != string(want) {
		t.Errorf("the routes have changed: look at each line, then go test ./internal/gateway -update\n%s", list.String())
	}
}

// A route that names no action, or one that does not exist, lets nobody in, and
// its handler does not run.
func TestRoutes_WithoutActionAreClosed(t *testing.T) {
	a := scaffold(t).api
	for name, actions := range map[string][]policy.Action{"none": nil, "unknown": {"SeeSites "}, "empty": {""}} {
		ran := false
		handler := a.run(route{pattern: "GET /probe", may: actions, handle: func(*api, http.ResponseWriter, *http.Request) error {
			ran = true
			return nil
		}})
		w := httptest.NewRecorder()
		handler(w, httptest.NewRequest(http.MethodGet, "/probe", http.NoBody))
		if ran || w.Code < http.StatusBadRequest {
			t.Errorf("%s: %d, the handler ran: %t", name, w.Code, ran)
		}
	}
	q := asked{who: policy.Actor{Role: chat.RoleAdministrator}}
	if err := a.may(t.Context(), q, nil); !errors.Is(err, errMayNot) {
		t.Errorf("without an action somebody is let in: %v", err)
	}
}
