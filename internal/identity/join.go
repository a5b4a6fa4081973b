package identity

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/aldaba-chat/aldaba/internal/chat"
	"github.com/aldaba-chat/aldaba/internal/keyring"
	"github.com/aldaba-chat/aldaba/internal/wire"
)

const (
	firstLinkLasts = 30 * time.Minute // the first administrator's
	linkLasts      = 7 * 24 * time.Hour
)

var errLink = &chat.Error{Kind: chat.KindNotFound, Code: "link_ended", Field: "token", Message: "this link has ended or was used: ask the administrator for another"}

// Ticket is a one-time link as it is shown once: whoever has it can become the
// person.
type Ticket struct {
	Token string
	Until time.Time
}

// newLink writes a link for an account; one that it had stops working.
func (s *Staff) newLink(tx Tx, r Record) (Ticket, error) {
	lasts := linkLasts
	if r.Role == chat.RoleAdministrator {
		if others, err := activeAdministrators(tx, chat.StaffID{}); err != nil {
			return Ticket{}, err
		} else if others == 0 {
			lasts = firstLinkLasts
		}
	}
	var secret [32]byte
	rand.Read(secret[:])
	t := Ticket{Token: wire.Text(secret[:]), Until: s.now().Add(lasts)}
	return t, tx.PutLink(Link{Hash: SessionHash(t.Token), Account: r.ID, Until: t.Until.UnixMilli()})
}

// open gives a link that can still be used, with its account.
func (s *Staff) open(tx Tx, token string) (Link, Record, error) {
	l, err := tx.Link(SessionHash(token))
	if errors.Is(err, ErrNotFound) || err == nil && s.milli() >= l.Until {
		return l, Record{}, errLink
	}
	if err != nil {
		return l, Record{}, err
	}
	r, err := tx.Account(l.Account)
	if errors.Is(err, ErrNotFound) || err == nil && r.State == Suspended {
		return l, r, errLink
	}
	return l, r, err
}

// Join says whose link a token is; looking does not use it.
func (s *Staff) Join(ctx context.Context, token string) (a Account, organisation string, err error) {
	err = s.store.ReadStaff(ctx, func(tx Tx) error {
		_, r, err := s.open(tx, token)
		if err != nil {
			return err
		}
		a = r.Account
		organisation, err = tx.Organisation()
		return err
	})
	return a, organisation, err
}

// Setup is what a person types or photographs into an authenticator app.
type Setup struct {
	Secret string // base 32
	URI    string // otpauth://
}

// JoinPassword is the first step of joining: a password. It can be taken again
// until the code has come, and each time gives another secret.
func (s *Staff) JoinPassword(ctx context.Context, token, password string) (Setup, error) {
	a, organisation, err := s.Join(ctx, token)
	if err != nil {
		return Setup{}, err
	}
	if err := judge(password, a.Login, a.Name, organisation); err != nil {
		return Setup{}, err
	}
	encoded, err := s.hasher.hash(ctx, password)
	if err != nil {
		return Setup{}, err
	}
	secret := newSecret()
	sealed, err := s.ring.Seal(keyring.SecondFactor, a.ID[:], secret)
	if err != nil {
		return Setup{}, err
	}
	err = s.store.WriteStaff(ctx, func(tx Tx) error {
		l, _, err := s.open(tx, token)
		if err != nil {
			return err
		}
		l.Password, l.Factor = encoded, sealed
		return tx.PutLink(l)
	})
	return Setup{Secret: base32Text.EncodeToString(secret), URI: setupURI(secret, organisation, a.Login)}, err
}

// JoinCode is the last step: a code proves that the app has the secret. The link
// is used by it, what the account had before is replaced, its sessions end, and
// a new one is signed in. The recovery codes are shown here and never again.
func (s *Staff) JoinCode(ctx context.Context, token, code, address string) (recovery []string, session string, err error) {
	var l Link
	var r Record
	read := func(tx Tx) (err error) {
		l, r, err = s.open(tx, token)
		if err == nil && l.Password == "" {
			return &chat.Error{Kind: chat.KindConflict, Field: "password", Message: "choose a password first"}
		}
		return err
	}
	if err := s.store.ReadStaff(ctx, read); err != nil {
		return nil, "", err
	}
	if err := s.tries.take("join "+r.ID.String(), ofPair); err != nil {
		return nil, "", err
	}
	secret, err := s.ring.Open(keyring.SecondFactor, l.Account[:], l.Factor)
	if err != nil {
		return nil, "", err
	}
	shown, kept := newRecovery()
	fresh, next := s.newSession(l.Account, StepDone, address)
	sealed := l.Factor
	err = s.change(ctx, l.Account, func(tx Tx, now *Record) (effect, error) {
		if err := read(tx); err != nil {
			return 0, err
		}
		if string(l.Factor) != string(sealed) {
			return 0, errCode // the password was chosen again meanwhile, with another secret
		}
		step, ok := matchStep(secret, cleanCode(code), s.now(), 0)
		if !ok {
			return 0, errCode
		}
		now.Password, now.Factor, now.Step, now.Codes, now.State = l.Password, l.Factor, step, kept, Active
		s.arrived(now, address)
		return endSessions, tx.DropLink(l.Account)
	}, func(tx Tx) error { return tx.PutSession(next) })
	if err != nil {
		return nil, "", err
	}
	s.tries.forget("join " + r.ID.String())
	return shown, fresh, nil
}

// Found gives the organisation its name and the first administrator a link. It
// is refused once there is anybody.
func (s *Staff) Found(ctx context.Context, organisation string, p Profile) (a Account, t Ticket, err error) {
	if organisation, err = cleanName("organisation", organisation, 1); err != nil {
		return a, t, err
	}
	p.Role = chat.RoleAdministrator
	return s.add(ctx, p, func(tx Tx) error {
		all, err := tx.AllAccounts()
		if err == nil && len(all) > 0 {
			err = &chat.Error{Kind: chat.KindConflict, Message: fmt.Sprintf("this installation was set up before: %s is there", all[0].Login)}
		}
		return errors.Join(err, tx.PutOrganisation(organisation))
	})
}
