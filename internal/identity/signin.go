package identity

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aldaba-chat/aldaba/internal/chat"
	"github.com/aldaba-chat/aldaba/internal/keyring"
)

// Step is how far a sign-in has come.
type Step uint8

// The steps of a sign-in.
const (
	StepCode Step = iota + 1 // the password was right: a code comes next
	StepDone
)

// String is the step as the API names it.
func (s Step) String() string {
	switch s {
	case StepCode:
		return "code"
	case StepDone:
		return "done"
	}
	return fmt.Sprintf("no step (%d)", uint8(s))
}

var (
	errSignIn = &chat.Error{Kind: chat.KindDenied, Code: "wrong_password", Field: "password", Message: "the login or the password is not right"}
	errCode   = &chat.Error{Kind: chat.KindDenied, Code: "wrong_code", Field: "code", Message: "this code is not right, or it was used: wait for the next one, or take a recovery code"}
)

// familiar is how many addresses an account remembers.
const familiar = 8

// SignIn is the first step: a password. The token that it gives opens nothing
// but the second step. Whatever is wrong (no such login, another password, an
// account that is suspended or has not joined) has the same answer after the
// same work.
func (s *Staff) SignIn(ctx context.Context, login, password, address string) (Step, string, error) {
	var r Record
	known := false
	clean, err := cleanLogin(login)
	if err == nil {
		err = s.store.ReadStaff(ctx, func(tx Tx) (err error) {
			r, err = tx.AccountByLogin(clean)
			return err
		})
		if known = err == nil; !known && !errors.Is(err, ErrNotFound) {
			return 0, "", err
		}
	}
	if clean == "" { // no login at all: counted all the same, under what was typed
		clean = login[:min(len(login), maxLogin)]
	}
	back, err := s.takeTries(r, known, clean, address)
	if err != nil {
		return 0, "", err
	}
	encoded := ""
	if known && r.State == Active {
		encoded = r.Password
	}
	ok, err := s.hasher.matches(ctx, password, encoded)
	if err != nil {
		return 0, "", err
	}
	if !ok {
		return 0, "", errSignIn
	}
	back()
	token, session := s.newSession(r.ID, StepCode, address)
	return StepCode, token, s.store.WriteStaff(ctx, func(tx Tx) error {
		now, err := tx.Account(r.ID)
		if err != nil || now.State != Active || now.Password != r.Password {
			return errors.Join(errSignIn, err) // it changed meanwhile
		}
		if err := s.sweep(tx); err != nil {
			return err
		}
		return tx.PutSession(session)
	})
}

// takeTries counts a try against its address, against the pair of address and
// login, and, for an address that the account does not know, against the login.
// So a flood of guesses from elsewhere does not keep the owner out. back undoes
// it when the password was right.
func (s *Staff) takeTries(r Record, known bool, login, address string) (back func(), err error) {
	from := place(address)
	type try struct {
		key string
		rate
	}
	tries := []try{{"address " + from, ofAddress}, {"pair " + login + " " + from, ofPair}}
	if !known || !slices.Contains(r.Familiar, mark(r.ID, address)) {
		tries = append(tries, try{"login " + login, ofLogin})
	}
	for i, t := range tries {
		if err := s.tries.take(t.key, t.rate); err != nil {
			for _, taken := range tries[:i] {
				s.tries.giveBack(taken.key, taken.rate)
			}
			return nil, err
		}
	}
	return func() {
		for _, t := range tries {
			s.tries.giveBack(t.key, t.rate)
		}
	}, nil
}

// Code is the second step: a code of the app, or a recovery code. It ends the
// token of the first step and gives another, which is signed in.
func (s *Staff) Code(ctx context.Context, token, code string) (string, error) {
	hash := SessionHash(token)
	var session Session
	var r Record
	err := s.store.ReadStaff(ctx, func(tx Tx) (err error) {
		session, r, err = s.live(tx, hash, StepCode)
		return err
	})
	if err != nil {
		return "", err
	}
	if err := s.takeCode(r, session.Address); err != nil {
		return "", err
	}
	secret, err := s.ring.Open(keyring.SecondFactor, r.ID[:], r.Factor)
	if err != nil {
		return "", err
	}
	fresh, next := s.newSession(r.ID, StepDone, session.Address)
	err = s.store.WriteStaff(ctx, func(tx Tx) error {
		_, r, err := s.live(tx, hash, StepCode)
		if err != nil {
			return err
		}
		if !r.spend(secret, code, s.now()) {
			return errCode
		}
		s.arrived(&r, session.Address)
		return errors.Join(tx.PutAccount(r), tx.DropSession(hash), tx.PutSession(next))
	})
	if err != nil {
		return "", err
	}
	s.tries.forget(codeKey(r, session.Address))
	return fresh, nil
}

// takeCode counts a try of a code: by the account, and for a familiar address
// by both, so that who knows a stolen password cannot keep its owner out.
func (s *Staff) takeCode(r Record, address string) error {
	return s.tries.take(codeKey(r, address), ofLogin)
}

func codeKey(r Record, address string) string {
	key := "code " + r.ID.String()
	if slices.Contains(r.Familiar, mark(r.ID, address)) {
		key += " " + place(address)
	}
	return key
}

// arrived notes where and when a person has signed in.
func (s *Staff) arrived(r *Record, address string) {
	m := mark(r.ID, address)
	r.Familiar = append(slices.DeleteFunc(slices.Clone(r.Familiar), func(f [16]byte) bool { return f == m }), m)
	r.Familiar = r.Familiar[max(0, len(r.Familiar)-familiar):]
	r.Seen = s.milli()
}

// ChangePassword replaces the password of whoever is signed in. It ends the
// account's other sessions and gives this one another token.
func (s *Staff) ChangePassword(ctx context.Context, token, old, password string) (string, error) {
	session, r, err := s.signedIn(ctx, token)
	if err != nil {
		return "", err
	}
	if err := s.tries.take("old "+r.ID.String(), ofPair); err != nil {
		return "", err
	}
	switch ok, err := s.hasher.matches(ctx, old, r.Password); {
	case err != nil:
		return "", err
	case !ok:
		return "", &chat.Error{Kind: chat.KindDenied, Code: "wrong_password", Field: "old", Message: "the old password is not right"}
	}
	s.tries.forget("old " + r.ID.String())
	organisation, err := s.Organisation(ctx)
	if err != nil {
		return "", err
	}
	if err := judge(password, r.Login, r.Name, organisation); err != nil {
		return "", err
	}
	encoded, err := s.hasher.hash(ctx, password)
	if err != nil {
		return "", err
	}
	fresh, next := s.newSession(r.ID, StepDone, session.Address)
	next.Began = session.Began // a session does not grow older than its day by this
	return fresh, s.change(ctx, r.ID, func(_ Tx, r *Record) (effect, error) {
		r.Password = encoded
		return endSessions, nil
	}, func(tx Tx) error { return tx.PutSession(next) })
}

// NewRecoveryCodes replaces the recovery codes of whoever is signed in, for a
// code of the app.
func (s *Staff) NewRecoveryCodes(ctx context.Context, token, code string) ([]string, error) {
	session, r, err := s.signedIn(ctx, token)
	if err != nil {
		return nil, err
	}
	if err := s.takeCode(r, session.Address); err != nil {
		return nil, err
	}
	secret, err := s.ring.Open(keyring.SecondFactor, r.ID[:], r.Factor)
	if err != nil {
		return nil, err
	}
	shown, kept := newRecovery()
	err = s.change(ctx, r.ID, func(_ Tx, r *Record) (effect, error) {
		if !r.spend(secret, code, s.now()) {
			return 0, errCode
		}
		r.Codes = kept
		return keepSessions, nil
	})
	if err != nil {
		return nil, err
	}
	s.tries.forget(codeKey(r, session.Address))
	return shown, nil
}

// RecoveryLeft is how many recovery codes an account has left.
func (s *Staff) RecoveryLeft(ctx context.Context, id chat.StaffID) (n int, err error) {
	err = s.store.ReadStaff(ctx, func(tx Tx) error {
		r, err := person(tx, id)
		n = len(r.Codes)
		return err
	})
	return n, err
}
