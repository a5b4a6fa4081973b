package identity

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"time"

	"github.com/aldaba-chat/aldaba/internal/chat"
	"github.com/aldaba-chat/aldaba/internal/wire"
)

const (
	codeLasts    = 5 * time.Minute // from the password to the code
	sessionLasts = 12 * time.Hour
	idleLasts    = 30 * time.Minute
	idleOfAdmin  = 15 * time.Minute
	seenEvery    = time.Minute // how exactly the last use is written
)

// SessionHash is the name of a session: the SHA-256 of its token.
func SessionHash(token string) [32]byte { return sha256.Sum256([]byte(token)) }

// newSession makes a session and its token of 256 random bits.
func (s *Staff) newSession(account chat.StaffID, step Step, address string) (string, Session) {
	var secret [32]byte
	rand.Read(secret[:])
	token := wire.Text(secret[:])
	now := s.milli()
	return token, Session{Hash: SessionHash(token), Account: account, Step: step, Began: now, Seen: now, Address: place(address)}
}

// live gives a session of a step that has not ended, with its account.
func (s *Staff) live(tx Tx, hash [32]byte, step Step) (Session, Record, error) {
	session, err := tx.Session(hash)
	if errors.Is(err, ErrNotFound) || err == nil && session.Step != step {
		return session, Record{}, ErrNoSession
	}
	if err != nil {
		return session, Record{}, err
	}
	r, err := tx.Account(session.Account)
	if errors.Is(err, ErrNotFound) || err == nil && (r.State != Active || s.over(session, r.Role)) {
		return session, r, ErrNoSession
	}
	return session, r, err
}

func (s *Staff) over(session Session, role chat.Role) bool {
	lasts, idle := sessionLasts, idleLasts
	if role == chat.RoleAdministrator {
		idle = idleOfAdmin
	}
	if session.Step == StepCode {
		lasts = codeLasts
	}
	now := s.milli()
	return now >= session.Began+lasts.Milliseconds() || now >= session.Seen+idle.Milliseconds()
}

func (s *Staff) sweep(tx Tx) error {
	now := s.milli()
	return tx.SweepSessions(now-sessionLasts.Milliseconds(), now-idleLasts.Milliseconds())
}

func (s *Staff) signedIn(ctx context.Context, token string) (session Session, r Record, err error) {
	err = s.store.ReadStaff(ctx, func(tx Tx) error {
		session, r, err = s.live(tx, SessionHash(token), StepDone)
		return err
	})
	return session, r, err
}

// Who is the account that a token is signed in as. Asking is using: it puts off
// the end of an idle session. [ErrNoSession] when there is none.
func (s *Staff) Who(ctx context.Context, token string) (Account, error) {
	session, r, err := s.signedIn(ctx, token)
	if err != nil {
		return Account{}, err
	}
	if s.milli()-session.Seen < seenEvery.Milliseconds() {
		return r.Account, nil
	}
	err = s.store.WriteStaff(ctx, func(tx Tx) error {
		session, r, err = s.live(tx, session.Hash, StepDone)
		if err != nil {
			return err
		}
		session.Seen, r.Seen = s.milli(), s.milli()
		return errors.Join(tx.PutSession(session), tx.PutAccount(r))
	})
	return r.Account, err
}

// SignOut ends the session of a token; none is no error.
func (s *Staff) SignOut(ctx context.Context, token string) error {
	session, err := s.drop(ctx, SessionHash(token), chat.StaffID{})
	if err != nil || session.Account.IsZero() {
		return err
	}
	return s.tellOf(ctx, session.Account, session.Hash)
}

// SessionsOf lists where an account is signed in, the oldest first.
func (s *Staff) SessionsOf(ctx context.Context, account chat.StaffID) (list []Session, err error) {
	err = s.store.ReadStaff(ctx, func(tx Tx) error {
		all, err := tx.SessionsOf(account)
		if err != nil {
			return err
		}
		r, err := person(tx, account)
		for _, session := range all {
			if session.Step == StepDone && !s.over(session, r.Role) {
				list = append(list, session)
			}
		}
		return err
	})
	return list, err
}

// EndSession ends one session of an account.
func (s *Staff) EndSession(ctx context.Context, account chat.StaffID, hash [32]byte) error {
	session, err := s.drop(ctx, hash, account)
	if err != nil {
		return err
	}
	if session.Account.IsZero() {
		return &chat.Error{Kind: chat.KindNotFound, Field: "session", Message: "there is no such session"}
	}
	return s.tellOf(ctx, account, hash)
}

// drop removes a session of one account, or of any; zero when there is none.
func (s *Staff) drop(ctx context.Context, hash [32]byte, of chat.StaffID) (session Session, err error) {
	err = s.store.WriteStaff(ctx, func(tx Tx) error {
		found, err := tx.Session(hash)
		if errors.Is(err, ErrNotFound) || err == nil && !of.IsZero() && found.Account != of {
			return nil
		}
		if err != nil {
			return err
		}
		session = found
		return tx.DropSession(hash)
	})
	return session, err
}

func (s *Staff) tellOf(ctx context.Context, account chat.StaffID, hash [32]byte) error {
	devices, err := s.DevicesOf(ctx, account)
	s.tell(Ended{Account: account, Sessions: [][32]byte{hash}, Devices: devices})
	return err
}

// Admit signs an account in without password or code. It exists for the
// demonstration alone, which hands out links that sign in.
func (s *Staff) Admit(ctx context.Context, account chat.StaffID, address string) (string, error) {
	token, session := s.newSession(account, StepDone, address)
	return token, s.store.WriteStaff(ctx, func(tx Tx) error {
		r, err := person(tx, account)
		if err != nil {
			return err
		}
		if r.State == Suspended {
			return errSignIn
		}
		r.State = Active
		if err := s.sweep(tx); err != nil {
			return err
		}
		s.arrived(&r, address)
		return errors.Join(tx.PutAccount(r), tx.PutSession(session))
	})
}
