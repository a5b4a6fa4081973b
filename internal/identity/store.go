package identity

import (
	"context"
	"errors"

	"github.com/aldaba-chat/aldaba/internal/chat"
)

// ErrNotFound and ErrTaken are what a [Store] answers instead of a result.
var (
	ErrNotFound = errors.New("there is no such thing in the store")
	ErrTaken    = errors.New("the store has another one of this name")
)

// Store keeps accounts and what belongs to them. Both methods are safe for
// concurrent use. An error of the callback is returned as it is.
type Store interface {
	// ReadStaff runs do over what is committed. Its calls may see different moments.
	ReadStaff(ctx context.Context, do func(Tx) error) error
	// WriteStaff runs do alone and commits what it has written; with an error it
	// writes nothing. do must not wait for anything.
	WriteStaff(ctx context.Context, do func(Tx) error) error
}

// Tx is one access to the store, valid while the callback runs.
type Tx interface {
	Accounts
	Sessions
	Links
	Devices
}

// Accounts are the staff, and the name of their company.
type Accounts interface {
	// Account and AccountByLogin give one, or ErrNotFound.
	Account(id chat.StaffID) (Record, error)
	AccountByLogin(login string) (Record, error)
	// AllAccounts gives all in the order of their logins.
	AllAccounts() ([]Record, error)
	// PutAccount adds or replaces one; ErrTaken when another has the login.
	PutAccount(r Record) error
	// DropAccount removes one with its sessions, link and devices.
	DropAccount(id chat.StaffID) error
	// Organisation gives the company's name, "" before it was set.
	Organisation() (string, error)
	PutOrganisation(name string) error
}

// Sessions are who is signed in.
type Sessions interface {
	// Session gives one by the SHA-256 of its token, or ErrNotFound.
	Session(hash [32]byte) (Session, error)
	// SessionsOf gives those of an account, the oldest first.
	SessionsOf(account chat.StaffID) ([]Session, error)
	// PutSession adds or replaces one.
	PutSession(s Session) error
	// DropSession removes one; none is no error.
	DropSession(hash [32]byte) error
	// SweepSessions removes those that began or were seen before a moment.
	SweepSessions(began, seen int64) error
}

// Links are the one-time links by which people join.
type Links interface {
	// Link gives one by the SHA-256 of its token, or ErrNotFound.
	Link(hash [32]byte) (Link, error)
	// PutLink adds or replaces one. An account has at most one: another goes.
	PutLink(l Link) error
	// DropLink removes an account's link; none is no error.
	DropLink(account chat.StaffID) error
}

// Devices are the keys that belong to accounts.
type Devices interface {
	// Device gives the account of a device's key, or ErrNotFound.
	Device(key [32]byte) (chat.StaffID, error)
	// DevicesOf gives the keys of an account, the oldest first.
	DevicesOf(account chat.StaffID) ([][32]byte, error)
	// PutDevice adds one; ErrTaken when it is another account's. The same again
	// changes nothing.
	PutDevice(key [32]byte, account chat.StaffID, at int64) error
}

// Record is an account with what proves it. Times are milliseconds since 1970.
type Record struct {
	Account
	Password string     // encoded Argon2id; "" before the person has joined
	Factor   []byte     // the app's secret, sealed by the keyring for the account's id
	Step     int64      // of the last code that was accepted: it and older ones are spent
	Codes    [][32]byte // SHA-256 of the recovery codes that are left
	Familiar [][16]byte // marks of addresses of successful sign-ins, the newest last
}

// Session is a signed-in browser, or one that has to give a code first.
type Session struct {
	Hash    [32]byte // SHA-256 of the token
	Account chat.StaffID
	Step    Step
	Began   int64
	Seen    int64
	Address string
}

// Link is a one-time link, and what its owner has chosen so far.
type Link struct {
	Hash     [32]byte // SHA-256 of the token
	Account  chat.StaffID
	Until    int64
	Password string
	Factor   []byte
}
