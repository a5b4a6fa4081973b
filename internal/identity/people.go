package identity

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aldaba-chat/aldaba/internal/chat"
)

// Ended says what has ended with an account's sessions.
type Ended struct {
	Account  chat.StaffID
	Sessions [][32]byte // SHA-256 of the tokens that open nothing any more
	Devices  [][32]byte // keys of all its devices: what they have open must be cut
}

// Person is an account with what the list of people shows.
type Person struct {
	Account
	Devices int
}

// People gives everybody in the order of their logins.
func (s *Staff) People(ctx context.Context) (people []Person, err error) {
	err = s.store.ReadStaff(ctx, func(tx Tx) error {
		all, err := tx.AllAccounts()
		if err != nil {
			return err
		}
		for _, r := range all {
			devices, err := tx.DevicesOf(r.ID)
			if err != nil {
				return err
			}
			people = append(people, Person{r.Account, len(devices)})
		}
		return nil
	})
	return people, err
}

// Find gives the account of a login.
func (s *Staff) Find(ctx context.Context, login string) (a Account, err error) {
	err = s.store.ReadStaff(ctx, func(tx Tx) error {
		r, err := tx.AccountByLogin(login)
		if errors.Is(err, ErrNotFound) {
			return &chat.Error{Kind: chat.KindNotFound, Field: "login", Message: "there is nobody of this login"}
		}
		a = r.Account
		return err
	})
	return a, err
}

// Account gives one by its id.
func (s *Staff) Account(ctx context.Context, id chat.StaffID) (a Account, err error) {
	err = s.store.ReadStaff(ctx, func(tx Tx) error {
		r, err := person(tx, id)
		a = r.Account
		return err
	})
	return a, err
}

// Invite adds a person, who joins by the link.
func (s *Staff) Invite(ctx context.Context, p Profile) (Account, Ticket, error) {
	return s.add(ctx, p, func(Tx) error { return nil })
}

func (s *Staff) add(ctx context.Context, p Profile, before func(Tx) error) (a Account, t Ticket, err error) {
	if err := p.check(); err != nil {
		return a, t, err
	}
	r := Record{Account: Account{
		ID: chat.NewID[chat.Staff](s.now()), Login: p.Login, Name: p.Name, Title: p.Title,
		Role: p.Role, Departments: p.Departments, Cap: p.Cap, State: Invited,
	}}
	err = s.store.WriteStaff(ctx, func(tx Tx) (err error) {
		if err := before(tx); err != nil {
			return err
		}
		if err := tx.PutAccount(r); errors.Is(err, ErrTaken) {
			return &chat.Error{Kind: chat.KindConflict, Code: "login_taken", Field: "login", Message: "somebody has this login"}
		} else if err != nil {
			return err
		}
		t, err = s.newLink(tx, r)
		return err
	})
	return r.Account, t, err
}

// Link gives a person another link: for who has not joined in time, or lost
// password or phone. Until it is used, what the person has goes on working.
func (s *Staff) Link(ctx context.Context, id chat.StaffID) (t Ticket, err error) {
	err = s.store.WriteStaff(ctx, func(tx Tx) error {
		r, err := person(tx, id)
		if err != nil {
			return err
		}
		if r.State == Suspended {
			return &chat.Error{Kind: chat.KindConflict, Code: "suspended", Field: "id", Message: "this person is suspended: resume the account first"}
		}
		t, err = s.newLink(tx, r)
		return err
	})
	return t, err
}

// Edit is what an administrator changes about a person; nil leaves it.
type Edit struct {
	Name, Title *string
	Role        *chat.Role
	Departments *[][16]byte
	Cap         *int
}

// Edit changes a person. Another role ends the sessions: who comes back has the
// rights of the new one. Other departments cut what is open.
func (s *Staff) Edit(ctx context.Context, id chat.StaffID, e Edit) (a Account, err error) {
	err = s.change(ctx, id, func(tx Tx, r *Record) (effect, error) {
		p := Profile{r.Login, r.Name, r.Title, r.Role, r.Departments, r.Cap}
		set(&p.Name, e.Name)
		set(&p.Title, e.Title)
		set(&p.Role, e.Role)
		set(&p.Departments, e.Departments)
		set(&p.Cap, e.Cap)
		if err := p.check(); err != nil {
			return 0, err
		}
		if r.Role == chat.RoleAdministrator && p.Role != r.Role {
			if err := spare(tx, *r); err != nil {
				return 0, err
			}
		}
		what := keepSessions
		if p.Role != r.Role {
			what = endSessions
		} else if !slices.Equal(p.Departments, r.Departments) {
			what = cutSessions
		}
		r.Name, r.Title, r.Role, r.Departments, r.Cap = p.Name, p.Title, p.Role, p.Departments, p.Cap
		a = r.Account
		return what, nil
	})
	return a, err
}

func set[T any](at, to *T) {
	if to != nil {
		*at = *to
	}
}

// Suspend ends everything that a person has open, and the link.
func (s *Staff) Suspend(ctx context.Context, id chat.StaffID) error {
	return s.change(ctx, id, func(tx Tx, r *Record) (effect, error) {
		if err := spare(tx, *r); err != nil {
			return 0, err
		}
		r.State = Suspended
		return endSessions, tx.DropLink(id)
	})
}

// Resume lets a suspended person sign in again, with what they had.
func (s *Staff) Resume(ctx context.Context, id chat.StaffID) error {
	return s.change(ctx, id, func(_ Tx, r *Record) (effect, error) {
		if r.State == Suspended {
			r.State = Active
			if r.Password == "" {
				r.State = Invited
			}
		}
		return keepSessions, nil
	})
}

// Remove forgets a person and ends everything that they have open.
func (s *Staff) Remove(ctx context.Context, id chat.StaffID) error {
	return s.change(ctx, id, func(tx Tx, r *Record) (effect, error) { return endSessions, spare(tx, *r) },
		func(tx Tx) error { return tx.DropAccount(id) })
}

// spare refuses to take the last administrator who can sign in.
func spare(tx Tx, r Record) error {
	if r.Role != chat.RoleAdministrator || r.State != Active {
		return nil
	}
	others, err := activeAdministrators(tx, r.ID)
	if err == nil && others == 0 {
		return &chat.Error{Kind: chat.KindConflict, Code: "last_administrator", Field: "id", Message: fmt.Sprintf("%s is the last administrator: make somebody else one first", r.Login)}
	}
	return err
}

func activeAdministrators(tx Tx, but chat.StaffID) (n int, err error) {
	all, err := tx.AllAccounts()
	for _, r := range all {
		if r.Role == chat.RoleAdministrator && r.State == Active && r.ID != but {
			n++
		}
	}
	return n, err
}

// effect is what a change of an account does to its sessions.
type effect int

const (
	keepSessions effect = iota
	cutSessions         // they stay, what is open is cut and asked for again
	endSessions
)

// change edits a record in one transaction, ends sessions with it, runs what
// comes after, and tells who listens.
func (s *Staff) change(ctx context.Context, id chat.StaffID, edit func(Tx, *Record) (effect, error), after ...func(Tx) error) error {
	ended := Ended{Account: id}
	var what effect
	err := s.store.WriteStaff(ctx, func(tx Tx) error {
		r, err := person(tx, id)
		if err != nil {
			return err
		}
		if what, err = edit(tx, &r); err != nil {
			return err
		}
		if err := tx.PutAccount(r); err != nil {
			return err
		}
		if what == keepSessions {
			return nil
		}
		if ended.Devices, err = tx.DevicesOf(id); err != nil {
			return err
		}
		if what == endSessions {
			sessions, err := tx.SessionsOf(id)
			if err != nil {
				return err
			}
			for _, session := range sessions {
				ended.Sessions = append(ended.Sessions, session.Hash)
				if err := tx.DropSession(session.Hash); err != nil {
					return err
				}
			}
		}
		for _, next := range after {
			if err := next(tx); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && what != keepSessions {
		s.tell(ended)
	}
	return err
}
