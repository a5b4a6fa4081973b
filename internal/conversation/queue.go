package conversation

import (
	"context"
	"errors"
	"slices"

	"github.com/aldaba-chat/aldaba/internal/policy"
)

const (
	queueSize  = 200 // conversations of one list
	closedSize = 50  // of those that are over
)

// Item is a conversation as one device's queue shows it.
type Item struct {
	Listed
	Mine   bool     // the person of the device answers, with this or another device
	Agents []string // names of the people who answer, as their certificates have them
}

// Queue gives what waits for a device's departments, who waits longest first;
// then what its person has open, the last changed first; what others of its
// departments have open; and what the person has closed, the last first.
func (c *Conversations) Queue(ctx context.Context, who policy.Actor) (departments [][16]byte, items []Item, err error) {
	trust := c.directory.Trust()
	if trust == nil {
		return nil, nil, errNothing
	}
	x := trust.Certificate(who.Key)
	if x == nil {
		return nil, nil, errNotAllowed
	}
	for _, dept := range who.Departments {
		q := policy.Request{Actor: who, Action: policy.SeeTeam, Resource: policy.Resource{Department: dept}}
		if c.door.Decide(q).Allowed {
			departments = append(departments, dept)
		}
	}
	seen := map[[32]byte]bool{} // one may move while this reads list after list
	add := func(list []Listed, err error, mine bool) error {
		for _, l := range list {
			if !seen[l.Conv] {
				seen[l.Conv] = true
				items = append(items, Item{Listed: l, Mine: mine, Agents: c.agents(l)})
			}
		}
		return err
	}
	for _, dept := range departments {
		list, err := c.store.OfDepartment(ctx, dept, Waiting, queueSize)
		if err := add(list, err, false); err != nil {
			return nil, nil, err
		}
	}
	list, err := c.store.OfPerson(ctx, x.Subject, false, queueSize)
	if err := add(list, err, true); err != nil {
		return nil, nil, err
	}
	for _, dept := range departments {
		list, err := c.store.OfDepartment(ctx, dept, Taken, queueSize)
		if err := add(list, err, false); err != nil {
			return nil, nil, err
		}
	}
	list, err = c.store.OfPerson(ctx, x.Subject, true, closedSize)
	return departments, items, add(list, err, true)
}

// agents are the names of the people among a conversation's members.
func (c *Conversations) agents(l Listed) []string {
	names := []string{}
	for _, m := range l.Members {
		x := c.directory.Trust().Certificate(m)
		if x != nil && answers(x.Kind) && !slices.Contains(names, x.Name) {
			names = append(names, x.Name)
		}
	}
	return names
}

// Place gives a waiting conversation's place in the line, 1 for the next; 0 when
// it does not wait. The department is whose line it is. Who asks was allowed before.
func (c *Conversations) Place(ctx context.Context, conv [32]byte) (place int, dept [16]byte, err error) {
	l, err := c.store.Conversation(ctx, conv)
	if errors.Is(err, ErrNotFound) {
		return 0, dept, errNotAllowed
	}
	if err != nil || l.State != Waiting {
		return 0, l.Dept, err
	}
	ahead, err := c.store.Ahead(ctx, l)
	return ahead + 1, l.Dept, err
}

// Load gives how many conversations a person has open, in a department and in all.
func (c *Conversations) Load(ctx context.Context, subject, dept [16]byte) (inDept, inAll int, err error) {
	return c.store.Load(ctx, subject, dept)
}

// Line gives how many conversations wait for a department, and since when the
// first does, in milliseconds since 1970; 0 when none does.
func (c *Conversations) Line(ctx context.Context, dept [16]byte) (waiting int, oldest int64, err error) {
	return c.store.Line(ctx, dept)
}

// Typist gives the leaf under which a caller is a member of an open conversation.
func (c *Conversations) Typist(ctx context.Context, caller, conv [32]byte) (leaf uint16, err error) {
	s := c.at(conv)
	defer s.mu.Unlock()
	t, err := c.load(ctx, s)
	if err != nil {
		return 0, err
	}
	if t.Closed() || t.Epoch() == nil {
		return 0, errNotAllowed
	}
	owns := c.speaks(caller)
	for _, m := range t.Epoch().Members {
		if owns(m.Certificate) {
			return m.Leaf, nil
		}
	}
	return 0, errNotAllowed
}

// Answered reports whether a conversation was ever taken.
func (c *Conversations) Answered(ctx context.Context) (bool, error) { return c.store.Answered(ctx) }
