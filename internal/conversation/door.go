package conversation

import (
	"context"
	"slices"

	"github.com/aldaba-chat/aldaba/internal/policy"
	"github.com/aldaba-chat/aldaba/internal/seal"
)

// Door decides who may do what ([policy.Policy]).
type Door interface {
	Decide(q policy.Request) policy.Decision
}

// May asks the door about one conversation (S2). To whom it says no, a
// conversation looks as if it were not there.
func (c *Conversations) May(ctx context.Context, who policy.Actor, action policy.Action, conv [32]byte) error {
	s := c.at(conv)
	defer s.mu.Unlock()
	t, err := c.load(ctx, s)
	if err != nil {
		return err
	}
	return c.decide(t, who, action)
}

// MayWatch reports whether somebody may hear of a department's queue.
func (c *Conversations) MayWatch(who policy.Actor, dept [16]byte) bool {
	q := policy.Request{Actor: who, Action: policy.WatchQueue, Resource: policy.Resource{Department: dept}}
	return c.door.Decide(q).Allowed
}

func (c *Conversations) decide(t *seal.Transcript, who policy.Actor, action policy.Action) error {
	d := c.door.Decide(policy.Request{Actor: who, Action: action, Resource: c.facts(t, who)})
	switch {
	case d.Err != nil:
		return d.Err
	case !d.Allowed:
		return errNotAllowed
	}
	return nil
}

// speaks tells what is of whoever asks: a visitor's conversation, or the
// certificates of a device, which may have been renewed since it came in.
func (c *Conversations) speaks(who [32]byte) func(owner [32]byte) bool {
	trust, now := c.directory.Trust(), milliseconds(c.now())
	return func(owner [32]byte) bool { return owner == who || trust.SameDevice(who, owner, now) }
}

// facts are what counts of a conversation for somebody.
func (c *Conversations) facts(t *seal.Transcript, who policy.Actor) policy.Resource {
	owns := c.speaks(who.Key)
	return policy.Resource{
		Department: t.Dept(),
		Own:        who.Key == t.Conv(),
		Member:     slices.ContainsFunc(members(t), owns),
		Former:     t.WasMember(owns),
		Waiting:    state(t) == Waiting,
		Closed:     t.Closed(),
	}
}

// actionOf is what it takes to hand an entry in: to come in by the department's
// keys is another thing than to speak as a member.
func actionOf(entry []byte) policy.Action {
	e := new(seal.Epoch)
	if seal.KindOf(entry) == seal.KindEpoch && seal.Parse(entry, e) == nil && e.Accept != seal.NoAccept {
		return policy.Accept
	}
	return policy.AppendEntry
}

// reach is how far somebody may read: to the end, or, for who would accept and
// came second, to the entry by which the department went out: the loser gets
// the winner (S3), but no wraps and nothing of what follows.
func (c *Conversations) reach(ctx context.Context, t *seal.Transcript, who policy.Actor) (last uint64, whole bool, err error) {
	if err = c.decide(t, who, policy.ReadEntries); err == nil {
		return t.Seq(), true, nil
	}
	if c.decide(t, who, policy.Accept) != nil {
		return 0, false, err
	}
	epochs := t.EpochsFrom(0)
	hasDepartment := func(e *seal.Epoch) bool {
		return slices.ContainsFunc(e.Members, func(m seal.Member) bool { return m.Role == seal.Department })
	}
	for i := len(epochs) - 1; i > 0; i-- {
		if hasDepartment(epochs[i-1]) && !hasDepartment(epochs[i]) {
			entry, err := c.store.ByHash(ctx, t.Conv(), epochs[i].Hash())
			return entry.Seq, false, err
		}
	}
	return 0, false, errNotAllowed
}
