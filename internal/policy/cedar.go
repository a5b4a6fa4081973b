package policy

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/x/exp/ast"
	"github.com/cedar-policy/cedar-go/x/exp/schema"
	"github.com/cedar-policy/cedar-go/x/exp/schema/resolved"
	"github.com/cedar-policy/cedar-go/x/exp/schema/validate"
)

// rules wraps Cedar: what of it is experimental is used in this file alone.
type rules struct {
	schema    *resolved.Schema
	validator *validate.Validator
	policies  *cedar.PolicySet
}

func newRules(text []byte) (*rules, error) {
	var s schema.Schema
	s.SetFilename("schema.cedarschema")
	if err := s.UnmarshalCedar(text); err != nil {
		return nil, fmt.Errorf("the policies' schema: %w", err)
	}
	r, err := s.Resolve()
	if err != nil {
		return nil, fmt.Errorf("the policies' schema: %w", err)
	}
	return &rules{schema: r, validator: validate.New(r, validate.WithStrict()), policies: cedar.NewPolicySet()}, nil
}

// add takes a file's policies, each named by its @id.
func (r *rules) add(file string, content []byte) error {
	list, err := cedar.NewPolicyListFromBytes(file, content)
	if err != nil {
		return fmt.Errorf("the policies of %s: %w", file, err)
	}
	for _, p := range list {
		id := string(p.Annotations()["id"])
		if id == "" {
			return fmt.Errorf("%s, line %d: a policy needs an @id", file, p.Position().Line)
		}
		if err := r.validator.Policy(id, (*ast.Policy)(p.AST())); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if !r.policies.Add(cedar.PolicyID(id), p) {
			return fmt.Errorf("%s: there are two policies %q", file, id)
		}
	}
	return nil
}

// decide validates the request and everything it names, then asks the policies.
func (r *rules) decide(who cedar.Entity, action Action, what cedar.Entity) (cedar.Decision, cedar.Diagnostic, error) {
	request := cedar.Request{Principal: who.UID, Action: uid(action), Resource: what.UID, Context: cedar.NewRecord(nil)}
	if err := r.validator.Request(request); err != nil {
		return cedar.Deny, cedar.Diagnostic{}, err
	}
	entities := cedar.EntityMap{who.UID: who, what.UID: what}
	for _, e := range entities {
		if err := r.validator.Entity(e); err != nil {
			return cedar.Deny, cedar.Diagnostic{}, err
		}
	}
	decision, diagnostic := cedar.Authorize(r.policies, entities, request)
	if len(diagnostic.Errors) > 0 {
		errs := make([]error, len(diagnostic.Errors))
		for i, e := range diagnostic.Errors {
			errs[i] = fmt.Errorf("the policy %s failed: %s", e.PolicyID, e.Message)
		}
		return cedar.Deny, diagnostic, errors.Join(errs...)
	}
	return decision, diagnostic, nil
}

func uid(action Action) cedar.EntityUID { return cedar.NewEntityUID("Action", cedar.String(action)) }

// applies reports whether the schema has an action on a type of resource.
func (r *rules) applies(action Action, on kind) bool {
	a, ok := r.schema.Actions[uid(action)]
	return ok && a.AppliesTo != nil && slices.Equal(a.AppliesTo.Resources, []cedar.EntityType{cedar.EntityType(on)})
}

// actions are those of the schema.
func (r *rules) actions() []string {
	var names []string
	for id := range r.schema.Actions {
		names = append(names, string(id.ID))
	}
	return names
}
