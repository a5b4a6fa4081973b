// Package identity knows the staff: accounts, how they join by a one-time link,
// how they sign in, their sessions, and which devices are theirs. Visitors have
// no account and are not here; what an account may do is decided elsewhere, by
// its role.
//
// Nobody has a password before choosing it. An invited person opens a link that
// works once, chooses a password, sets up an authenticator app and gets ten
// recovery codes; only then does the account exist for sign-in. Signing in takes
// the password and a code of the app, or one of the recovery codes. Codes, links
// and recovery codes are accepted once.
//
// What a thief of the database finds: Argon2id hashes of passwords, SHA-256 of
// 256-bit tokens and 80-bit recovery codes, and the apps' secrets sealed by the
// keyring, whose root key is not in the database.
//
// At three in the morning: who lost phone and recovery codes gets a new link
// (`aldaba user link`), which replaces password, app and codes. Who is gone is
// suspended (`aldaba user suspend`): sessions end at once and sockets are cut.
// The last active administrator can be neither suspended nor removed nor made
// something else. Too many wrong passwords slow down who sends them; they never
// lock an account for the addresses from which its owner has signed in.
package identity

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/aldaba-chat/aldaba/internal/chat"
	"github.com/aldaba-chat/aldaba/internal/keyring"
)

// Options is what the staff's accounts need.
type Options struct {
	Store Store
	Ring  *keyring.Ring
	Now   func() time.Time // nil is the machine's clock
	Log   *slog.Logger
}

// Staff is the accounts of an installation. It is safe for concurrent use.
type Staff struct {
	store  Store
	ring   *keyring.Ring
	now    func() time.Time
	log    *slog.Logger
	hasher *hasher
	tries  *throttle

	mu    sync.Mutex
	ended []func(Ended)
}

// New returns the accounts that the store has.
func New(o Options) *Staff {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Staff{store: o.Store, ring: o.Ring, now: o.Now, log: o.Log, hasher: newHasher(), tries: newThrottle(o.Now)}
}

// OnEnd says who is told, before the call that caused it returns, that sessions
// of an account have ended or that its rights have changed: whatever is open for
// the account must be cut and asked for again.
func (s *Staff) OnEnd(tell func(Ended)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = append(s.ended, tell)
}

func (s *Staff) tell(e Ended) {
	s.mu.Lock()
	listeners := s.ended
	s.mu.Unlock()
	for _, tell := range listeners {
		tell(e)
	}
}

func (s *Staff) milli() int64 { return s.now().UnixMilli() }

// Organisation is the name of the company; "" before `aldaba setup`.
func (s *Staff) Organisation(ctx context.Context) (name string, err error) {
	err = s.store.ReadStaff(ctx, func(tx Tx) error {
		name, err = tx.Organisation()
		return err
	})
	return name, err
}

var (
	// ErrNoSession is the answer to a token that opens nothing any more.
	ErrNoSession = &chat.Error{Kind: chat.KindDenied, Code: "not_signed_in", Message: "you are not signed in: sign in and try again"}

	errNobody = &chat.Error{Kind: chat.KindNotFound, Field: "id", Message: "there is no such person"}
)

// person gives a record, or the error for whoever asked.
func person(tx Tx, id chat.StaffID) (Record, error) {
	r, err := tx.Account(id)
	if errors.Is(err, ErrNotFound) {
		return r, errNobody
	}
	return r, err
}
