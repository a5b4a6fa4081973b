package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/aldaba-chat/aldaba/internal/chat"
	"github.com/aldaba-chat/aldaba/internal/identity"
)

const (
	selectAccount        = `SELECT id, login, name, title, role, departments, cap, state, seen, password, factor, step, codes, familiar FROM accounts WHERE id = ?`
	selectAccountByLogin = `SELECT id, login, name, title, role, departments, cap, state, seen, password, factor, step, codes, familiar FROM accounts WHERE login = ?`
	selectAccounts       = `SELECT id, login, name, title, role, departments, cap, state, seen, password, factor, step, codes, familiar FROM accounts ORDER BY login`
	upsertAccount        = `INSERT INTO accounts (id, login, name, title, role, departments, cap, state, seen, password, factor, step, codes, familiar)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET login = excluded.login, name = excluded.name, title = excluded.title, role = excluded.role,
			departments = excluded.departments, cap = excluded.cap, state = excluded.state, seen = excluded.seen,
			password = excluded.password, factor = excluded.factor, step = excluded.step, codes = excluded.codes, familiar = excluded.familiar`
	deleteAccount      = `DELETE FROM accounts WHERE id = ?`
	selectOrganisation = `SELECT name FROM organisation`
	upsertOrganisation = `INSERT INTO organisation (one, name) VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET name = excluded.name`

	selectSession  = `SELECT hash, account, step, began, seen, address FROM account_sessions WHERE hash = ?`
	selectSessions = `SELECT hash, account, step, began, seen, address FROM account_sessions WHERE account = ? ORDER BY began, hash`
	upsertSession  = `INSERT INTO account_sessions (hash, account, step, began, seen, address) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (hash) DO UPDATE SET account = excluded.account, step = excluded.step, began = excluded.began, seen = excluded.seen, address = excluded.address`
	deleteSession = `DELETE FROM account_sessions WHERE hash = ?`
	sweepSessions = `DELETE FROM account_sessions WHERE began < ? OR seen < ?`

	selectLink = `SELECT hash, account, until, password, factor FROM account_links WHERE hash = ?`
	upsertLink = `INSERT INTO account_links (account, hash, until, password, factor) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (account) DO UPDATE SET hash = excluded.hash, until = excluded.until, password = excluded.password, factor = excluded.factor`
	deleteLink = `DELETE FROM account_links WHERE account = ?`

	selectDeviceAccount = `SELECT account FROM account_devices WHERE key = ?`
	selectDevices       = `SELECT key FROM account_devices WHERE account = ? ORDER BY at, key`
	insertDevice        = `INSERT INTO account_devices (key, account, at) VALUES (?, ?, ?)`
)

// staffReads and staffWrites are the prepared statements of [identity.Tx]. A
// writer has both on its own connection.
type staffReads struct {
	account, byLogin, accounts, organisation *sql.Stmt
	session, sessions, link, device, devices *sql.Stmt
}

func (r *staffReads) texts() map[**sql.Stmt]string {
	return map[**sql.Stmt]string{
		&r.account: selectAccount, &r.byLogin: selectAccountByLogin, &r.accounts: selectAccounts, &r.organisation: selectOrganisation,
		&r.session: selectSession, &r.sessions: selectSessions, &r.link: selectLink, &r.device: selectDeviceAccount, &r.devices: selectDevices,
	}
}

type staffWrites struct {
	putAccount, dropAccount, putOrganisation *sql.Stmt
	putSession, dropSession, sweep           *sql.Stmt
	putLink, dropLink, putDevice             *sql.Stmt
}

func (w *staffWrites) texts() map[**sql.Stmt]string {
	return map[**sql.Stmt]string{
		&w.putAccount: upsertAccount, &w.dropAccount: deleteAccount, &w.putOrganisation: upsertOrganisation,
		&w.putSession: upsertSession, &w.dropSession: deleteSession, &w.sweep: sweepSessions,
		&w.putLink: upsertLink, &w.dropLink: deleteLink, &w.putDevice: insertDevice,
	}
}

// staffTx is one access. Of a read, write is nil.
type staffTx struct {
	ctx    context.Context
	read   *staffReads
	write  *staffWrites
	failed error // of the database; what the callback makes of it does not matter
}

// ReadStaff implements [identity.Store].
func (s *Store) ReadStaff(ctx context.Context, do func(identity.Tx) error) error {
	return do(&staffTx{ctx: ctx, read: &s.read.staff})
}

// WriteStaff implements [identity.Store].
func (s *Store) WriteStaff(ctx context.Context, do func(identity.Tx) error) error {
	return s.writer.do(ctx, func() error {
		tx := &staffTx{ctx: background, read: &s.writer.run.staffReads, write: &s.writer.run.staffWrites}
		err := do(tx)
		switch {
		case tx.failed != nil:
			return tx.failed
		case err != nil:
			return refusal{err}
		}
		return nil
	})
}

var errReadOnly = errors.New("this access to the store only reads")

// run executes a statement of a write.
func (tx *staffTx) run(statement func(*staffWrites) *sql.Stmt, taken error, args ...any) error {
	if tx.write == nil {
		return errReadOnly
	}
	_, err := execute(statement(tx.write), taken, args...)
	if r := (refusal{}); errors.As(err, &r) {
		return r.error
	}
	return tx.note(err)
}

// note remembers what went wrong with the database itself.
func (tx *staffTx) note(err error) error {
	if err != nil && tx.write != nil {
		tx.failed = errors.Join(tx.failed, err)
	}
	return err
}

// one reads what is one row or none.
func one[T any](tx *staffTx, statement *sql.Stmt, scan func(row) (T, error), args ...any) (T, error) {
	value, err := scan(statement.QueryRowContext(tx.ctx, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return value, identity.ErrNotFound
	}
	return value, tx.note(err)
}

func many[T any](tx *staffTx, statement *sql.Stmt, scan func(row) (T, error), args ...any) ([]T, error) {
	rows, err := statement.QueryContext(tx.ctx, args...)
	if err != nil {
		return nil, tx.note(err)
	}
	all, err := collect(rows, func(rows *sql.Rows) (T, error) { return scan(rows) })
	return all, tx.note(err)
}

func (tx *staffTx) Account(id chat.StaffID) (identity.Record, error) {
	return one(tx, tx.read.account, scanAccount, id[:])
}

func (tx *staffTx) AccountByLogin(login string) (identity.Record, error) {
	return one(tx, tx.read.byLogin, scanAccount, login)
}

func (tx *staffTx) AllAccounts() ([]identity.Record, error) {
	return many(tx, tx.read.accounts, scanAccount)
}

func (tx *staffTx) PutAccount(r identity.Record) error {
	return tx.run(func(w *staffWrites) *sql.Stmt { return w.putAccount }, identity.ErrTaken,
		r.ID[:], r.Login, r.Name, r.Title, r.Role, joined(r.Departments), r.Cap, r.State, r.Seen,
		r.Password, filled(r.Factor), r.Step, joined(r.Codes), joined(r.Familiar))
}

func (tx *staffTx) DropAccount(id chat.StaffID) error {
	return tx.run(func(w *staffWrites) *sql.Stmt { return w.dropAccount }, nil, id[:])
}

func (tx *staffTx) Organisation() (string, error) {
	name, err := one(tx, tx.read.organisation, func(r row) (name string, err error) {
		err = r.Scan(&name)
		return name, err
	})
	if errors.Is(err, identity.ErrNotFound) {
		return "", nil
	}
	return name, err
}

func (tx *staffTx) PutOrganisation(name string) error {
	return tx.run(func(w *staffWrites) *sql.Stmt { return w.putOrganisation }, nil, name)
}

func (tx *staffTx) Session(hash [32]byte) (identity.Session, error) {
	return one(tx, tx.read.session, scanSession, hash[:])
}

func (tx *staffTx) SessionsOf(account chat.StaffID) ([]identity.Session, error) {
	return many(tx, tx.read.sessions, scanSession, account[:])
}

func (tx *staffTx) PutSession(s identity.Session) error {
	return tx.run(func(w *staffWrites) *sql.Stmt { return w.putSession }, nil,
		s.Hash[:], s.Account[:], s.Step, s.Began, s.Seen, s.Address)
}

func (tx *staffTx) DropSession(hash [32]byte) error {
	return tx.run(func(w *staffWrites) *sql.Stmt { return w.dropSession }, nil, hash[:])
}

func (tx *staffTx) SweepSessions(began, seen int64) error {
	return tx.run(func(w *staffWrites) *sql.Stmt { return w.sweep }, nil, began, seen)
}

func (tx *staffTx) Link(hash [32]byte) (identity.Link, error) {
	return one(tx, tx.read.link, func(r row) (l identity.Link, err error) {
		err = r.Scan(into(l.Hash[:]), into(l.Account[:]), &l.Until, &l.Password, &l.Factor)
		return l, err
	}, hash[:])
}

func (tx *staffTx) PutLink(l identity.Link) error {
	return tx.run(func(w *staffWrites) *sql.Stmt { return w.putLink }, identity.ErrTaken,
		l.Account[:], l.Hash[:], l.Until, l.Password, filled(l.Factor))
}

func (tx *staffTx) DropLink(account chat.StaffID) error {
	return tx.run(func(w *staffWrites) *sql.Stmt { return w.dropLink }, nil, account[:])
}

func (tx *staffTx) Device(key [32]byte) (chat.StaffID, error) {
	return one(tx, tx.read.device, func(r row) (id chat.StaffID, err error) {
		err = r.Scan(into(id[:]))
		return id, err
	}, key[:])
}

func (tx *staffTx) DevicesOf(account chat.StaffID) ([][32]byte, error) {
	return many(tx, tx.read.devices, func(r row) (key [32]byte, err error) {
		err = r.Scan(into(key[:]))
		return key, err
	}, account[:])
}

func (tx *staffTx) PutDevice(key [32]byte, account chat.StaffID, at int64) error {
	switch owner, err := tx.Device(key); {
	case err == nil && owner == account:
		return nil
	case err == nil:
		return identity.ErrTaken
	case !errors.Is(err, identity.ErrNotFound):
		return err
	}
	return tx.run(func(w *staffWrites) *sql.Stmt { return w.putDevice }, identity.ErrTaken, key[:], account[:], at)
}

func scanAccount(r row) (a identity.Record, err error) {
	var departments, codes, marks []byte
	err = r.Scan(into(a.ID[:]), &a.Login, &a.Name, &a.Title, &a.Role, &departments, &a.Cap, &a.State, &a.Seen,
		&a.Password, &a.Factor, &a.Step, &codes, &marks)
	a.Departments, a.Familiar = split16(departments), split16(marks)
	for len(codes) >= 32 {
		a.Codes, codes = append(a.Codes, [32]byte(codes[:32])), codes[32:]
	}
	return a, err
}

func scanSession(r row) (s identity.Session, err error) {
	err = r.Scan(into(s.Hash[:]), into(s.Account[:]), &s.Step, &s.Began, &s.Seen, &s.Address)
	return s, err
}

func split16(b []byte) (list [][16]byte) {
	for len(b) >= 16 {
		list, b = append(list, [16]byte(b[:16])), b[16:]
	}
	return list
}

// joined puts values of one length behind each other, never as NULL.
func joined[T [16]byte | [32]byte](list []T) []byte {
	b := []byte{}
	for _, v := range list {
		switch v := any(v).(type) {
		case [16]byte:
			b = append(b, v[:]...)
		case [32]byte:
			b = append(b, v[:]...)
		}
	}
	return b
}

// filled is b, which SQLite would take for NULL when it is nil.
func filled(b []byte) []byte { return append([]byte{}, b...) }
