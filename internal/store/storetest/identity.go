package storetest

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aldaba-chat/aldaba/internal/chat"
	"github.com/aldaba-chat/aldaba/internal/identity"
)

// account gives a different account for each number, with everything set.
func account(n uint64, login string) identity.Record {
	code, other := id(n, 1), id(n, 2)
	return identity.Record{ //nolint:gosec // G101: no credentials
		Account: identity.Account{
			ID: staff(n), Login: login, Name: "Ana «" + login + "»", Title: "Lead", Role: chat.RoleSupervisor,
			Departments: [][16]byte{{1}, {2}}, Cap: 3, State: identity.Active, Seen: 77,
		},
		Password: "$argon2id$…", Factor: []byte{1, 2, 3}, Step: 59_000_000,
		Codes: [][32]byte{code, other}, Familiar: [][16]byte{{7}, {8}, {9}},
	}
}

func staff(n uint64) chat.StaffID {
	var s chat.StaffID
	hash := id(n, 99)
	copy(s[:], hash[:])
	return s
}

// Identity is the contract of [identity.Store].
func Identity[S interface {
	identity.Store
	io.Closer
}](t *testing.T, open Open[S],
) {
	ctx := t.Context()
	write := func(s S, do func(identity.Tx) error) {
		t.Helper()
		must(t, s.WriteStaff(ctx, do))
	}
	ana, luis := account(1, "ana"), account(2, "luis")
	session := func(n uint64, of identity.Record, began int64) identity.Session {
		return identity.Session{Hash: id(n), Account: of.ID, Step: identity.StepDone, Began: began, Seen: began + 5, Address: "192.0.2.1"}
	}

	t.Run("what was written is there after the store was opened again", func(t *testing.T) {
		folder := t.TempDir()
		s := open(t, folder)
		invited := identity.Record{Account: identity.Account{ID: staff(3), Login: "zoe", Name: "Zoe", Role: chat.RoleAgent, State: identity.Invited}}
		link := identity.Link{Hash: id(31), Account: invited.ID, Until: 900}
		first, second := session(1, ana, 10), session(2, ana, 20)
		write(s, func(tx identity.Tx) error {
			name, err := tx.Organisation()
			equal(t, "the name before it was set", name, "")
			return errors.Join(err, tx.PutOrganisation("Banco"), tx.PutOrganisation("Banco Sol"),
				tx.PutAccount(luis), tx.PutAccount(ana), tx.PutAccount(invited),
				tx.PutSession(second), tx.PutSession(first),
				tx.PutLink(identity.Link{Hash: id(30), Account: invited.ID, Until: 1}), tx.PutLink(link),
				tx.PutDevice(id(41), ana.ID, 2), tx.PutDevice(id(40), ana.ID, 1), tx.PutDevice(id(40), ana.ID, 3))
		})
		edited := ana
		edited.Name, edited.Departments, edited.Codes, edited.Familiar = "Ana María", nil, ana.Codes[:1], nil
		write(s, func(tx identity.Tx) error { return tx.PutAccount(edited) })
		second.Seen, second.Step = 30, identity.StepCode
		link.Password, link.Factor = "$argon2id$", []byte{4}
		write(s, func(tx identity.Tx) error { return errors.Join(tx.PutSession(second), tx.PutLink(link)) })
		must(t, s.Close())
		s = open(t, folder)
		must(t, s.ReadStaff(ctx, func(tx identity.Tx) error {
			name, err := tx.Organisation()
			must(t, err)
			equal(t, "organisation", name, "Banco Sol")
			got, err := tx.Account(ana.ID)
			must(t, err)
			equal(t, "an edited account", got, edited)
			got, err = tx.AccountByLogin("luis")
			must(t, err)
			equal(t, "an account by its login", got, luis)
			all, err := tx.AllAccounts()
			must(t, err)
			equal(t, "accounts, by login", logins(all), []string{"ana", "luis", "zoe"})
			one, err := tx.Session(second.Hash)
			must(t, err)
			equal(t, "a session", one, second)
			sessions, err := tx.SessionsOf(ana.ID)
			must(t, err)
			equal(t, "sessions, the oldest first", sessions, []identity.Session{first, second})
			l, err := tx.Link(id(31))
			must(t, err)
			equal(t, "the newer link", l, link)
			_, err = tx.Link(id(30))
			equal(t, "the link that was replaced", errors.Is(err, identity.ErrNotFound), true)
			devices, err := tx.DevicesOf(ana.ID)
			must(t, err)
			equal(t, "devices, the oldest first", devices, [][32]byte{id(40), id(41)})
			owner, err := tx.Device(id(41))
			equal(t, "a device's account", owner, ana.ID)
			return err
		}))
	})

	t.Run("what is not there is said so", func(t *testing.T) {
		s := open(t, t.TempDir())
		must(t, s.ReadStaff(ctx, func(tx identity.Tx) error {
			_, a := tx.Account(ana.ID)
			_, b := tx.AccountByLogin("ana")
			_, c := tx.Session(id(1))
			_, d := tx.Link(id(1))
			_, e := tx.Device(id(1))
			for i, err := range []error{a, b, c, d, e} {
				if !errors.Is(err, identity.ErrNotFound) {
					t.Errorf("question %d: got %v", i, err)
				}
			}
			return nil
		}))
		write(s, func(tx identity.Tx) error {
			return errors.Join(tx.DropAccount(ana.ID), tx.DropSession(id(1)), tx.DropLink(ana.ID))
		})
	})

	t.Run("names are taken once", func(t *testing.T) {
		s := open(t, t.TempDir())
		write(s, func(tx identity.Tx) error { return errors.Join(tx.PutAccount(ana), tx.PutAccount(luis)) })
		same := account(9, "ana")
		if err := s.WriteStaff(ctx, func(tx identity.Tx) error { return tx.PutAccount(same) }); !errors.Is(err, identity.ErrTaken) {
			t.Errorf("a second ana: %v", err)
		}
		write(s, func(tx identity.Tx) error { return tx.PutDevice(id(1), ana.ID, 1) })
		if err := s.WriteStaff(ctx, func(tx identity.Tx) error { return tx.PutDevice(id(1), luis.ID, 1) }); !errors.Is(err, identity.ErrTaken) {
			t.Errorf("another's device: %v", err)
		}
	})

	t.Run("a callback that fails writes nothing, and the store goes on", func(t *testing.T) {
		s := open(t, t.TempDir())
		why := errors.New("changed its mind")
		err := s.WriteStaff(ctx, func(tx identity.Tx) error {
			must(t, tx.PutAccount(ana))
			return why
		})
		if !errors.Is(err, why) {
			t.Errorf("got %v", err)
		}
		write(s, func(tx identity.Tx) error {
			_, err := tx.Account(ana.ID)
			equal(t, "the account is there", errors.Is(err, identity.ErrNotFound), true)
			return tx.PutAccount(luis)
		})
		if err := s.ReadStaff(ctx, func(tx identity.Tx) error { return tx.PutAccount(ana) }); err == nil {
			t.Error("a read writes")
		}
	})

	t.Run("an account takes what belongs to it along, and nothing else", func(t *testing.T) {
		s := open(t, t.TempDir())
		write(s, func(tx identity.Tx) error {
			return errors.Join(tx.PutAccount(ana), tx.PutAccount(luis),
				tx.PutSession(session(1, ana, 1)), tx.PutSession(session(2, luis, 1)),
				tx.PutLink(identity.Link{Hash: id(3), Account: ana.ID, Until: 1}),
				tx.PutDevice(id(4), ana.ID, 1), tx.PutDevice(id(5), luis.ID, 1), tx.DropAccount(ana.ID))
		})
		must(t, s.ReadStaff(ctx, func(tx identity.Tx) error {
			_, a := tx.Session(id(1))
			_, b := tx.Link(id(3))
			_, c := tx.Device(id(4))
			for i, err := range []error{a, b, c} {
				if !errors.Is(err, identity.ErrNotFound) {
					t.Errorf("thing %d stays: %v", i, err)
				}
			}
			_, a = tx.Session(id(2))
			_, b = tx.Device(id(5))
			return errors.Join(a, b)
		}))
	})

	t.Run("a sweep removes what is old in one way or the other", func(t *testing.T) {
		s := open(t, t.TempDir())
		idle, old, good := session(1, ana, 100), session(2, ana, 50), session(3, ana, 100)
		idle.Seen, old.Seen, good.Seen = 149, 200, 150
		write(s, func(tx identity.Tx) error {
			return errors.Join(tx.PutAccount(ana), tx.PutSession(idle), tx.PutSession(old), tx.PutSession(good), tx.SweepSessions(100, 150))
		})
		must(t, s.ReadStaff(ctx, func(tx identity.Tx) error {
			left, err := tx.SessionsOf(ana.ID)
			equal(t, "what is left", left, []identity.Session{good})
			return err
		}))
	})

	t.Run("writes run one after the other", func(t *testing.T) {
		s := open(t, t.TempDir())
		write(s, func(tx identity.Tx) error { return tx.PutAccount(ana) })
		const writers = 20
		var all sync.WaitGroup
		for range writers {
			all.Go(func() {
				ctx, cancel := context.WithTimeout(ctx, time.Minute)
				defer cancel()
				if err := s.WriteStaff(ctx, func(tx identity.Tx) error {
					r, err := tx.Account(ana.ID)
					r.Cap++
					return errors.Join(err, tx.PutAccount(r))
				}); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		must(t, s.ReadStaff(ctx, func(tx identity.Tx) error {
			r, err := tx.Account(ana.ID)
			equal(t, "the count", r.Cap, ana.Cap+writers)
			return err
		}))
	})
}

func logins(all []identity.Record) (list []string) {
	for i := range all {
		list = append(list, all[i].Login)
	}
	return slices.Clip(list)
}
