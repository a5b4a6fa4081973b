package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"

	"github.com/aldaba-chat/aldaba/internal/directory"
)

// keyObject is the kind of a key object (protocol/SPEC.md, section 3).
const keyObject = 5

const (
	insertObject        = `INSERT INTO objects (hash, kind, owner, number, bytes) VALUES (?, ?, ?, ?, ?) ON CONFLICT (hash) DO NOTHING`
	selectObjectByHash  = `SELECT hash, kind, owner, number, bytes FROM objects WHERE hash = ?`
	selectObjectsOfKind = `SELECT hash, kind, owner, number, bytes FROM objects WHERE kind = ? ORDER BY number DESC, place DESC LIMIT ?`
	selectKeyObjects    = `SELECT hash, kind, owner, number, bytes FROM objects WHERE owner = ? AND kind = ? ORDER BY place DESC`

	selectEnrolmentOf   = `SELECT id FROM enrolments WHERE invitation = ?`
	insertEnrolment     = `INSERT INTO enrolments (id, invitation, request, mac, at) VALUES (?, ?, ?, ?, ?)`
	dropEnrolments      = `DELETE FROM enrolments WHERE certificate IS NULL AND at < ?`
	signEnrolment       = `UPDATE enrolments SET certificate = ? WHERE id = ?`
	selectEnrolments    = `SELECT id, invitation, request, mac, at, certificate FROM enrolments WHERE certificate IS NULL ORDER BY place LIMIT ?`
	selectEnrolmentByID = `SELECT id, invitation, request, mac, at, certificate FROM enrolments WHERE id = ?`

	// A device's newer wrap is to its newer key object, so it replaces the older.
	upsertDepartmentKey = `INSERT INTO department_keys (device, certificate, wrap) VALUES (?, ?, ?)
		ON CONFLICT (device, certificate) DO UPDATE SET wrap = excluded.wrap`
	selectDepartmentKeys = `SELECT certificate, wrap FROM department_keys WHERE device = ? ORDER BY certificate`
)

// PutObjects implements [directory.Store].
func (s *Store) PutObjects(ctx context.Context, objects ...directory.Object) error {
	for i := range objects {
		switch o := &objects[i]; {
		case len(o.Bytes) == 0:
			return fmt.Errorf("object %d is empty", i)
		case o.Number > math.MaxInt64:
			return fmt.Errorf("object %d: number %d is above %d", i, o.Number, int64(math.MaxInt64))
		}
	}
	if len(objects) == 0 {
		return nil
	}
	return s.writer.do(ctx, func() error {
		for i := range objects {
			o := &objects[i]
			if _, err := execute(s.writer.run.insertObject, nil, o.Hash[:], o.Kind, o.Owner[:], o.Number, o.Bytes); err != nil {
				return err
			}
		}
		return nil
	})
}

// ObjectsByHash implements [directory.Store].
func (s *Store) ObjectsByHash(ctx context.Context, hashes [][32]byte) ([]directory.Object, error) {
	var all []directory.Object
	seen := make(map[[32]byte]bool, len(hashes))
	for _, hash := range hashes {
		if seen[hash] {
			continue
		}
		seen[hash] = true
		o, err := scanObject(s.read.objectByHash.QueryRowContext(ctx, hash[:]))
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, o)
	}
	return all, nil
}

// ObjectsOfKind implements [directory.Store].
func (s *Store) ObjectsOfKind(ctx context.Context, kind byte, limit int) ([]directory.Object, error) {
	rows, err := s.read.objectsOfKind.QueryContext(ctx, kind, max(limit, 0))
	if err != nil {
		return nil, err
	}
	return collect(rows, func(rows *sql.Rows) (directory.Object, error) { return scanObject(rows) })
}

// KeyObjects implements [directory.Store].
func (s *Store) KeyObjects(ctx context.Context, owner [32]byte) ([]directory.Object, error) {
	rows, err := s.read.keyObjects.QueryContext(ctx, owner[:], keyObject)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(rows *sql.Rows) (directory.Object, error) { return scanObject(rows) })
}

// PutEnrolment implements [directory.Store].
func (s *Store) PutEnrolment(ctx context.Context, e directory.Enrolment) error {
	if len(e.Request) == 0 {
		return errors.New("enrolment: request is empty")
	}
	if len(e.MAC) == 0 {
		return errors.New("enrolment: mac is empty")
	}
	return s.writer.do(ctx, func() error {
		var before [32]byte
		err := s.writer.run.enrolmentOf.QueryRowContext(background, e.Invitation[:]).Scan(into(before[:]))
		switch {
		case errors.Is(err, sql.ErrNoRows):
			_, err = execute(s.writer.run.insertEnrolment, directory.ErrInvitationUsed, e.ID[:], e.Invitation[:], e.Request, e.MAC, e.At)
			return err
		case err != nil:
			return err
		case before != e.ID:
			return refusal{directory.ErrInvitationUsed}
		}
		return nil
	})
}

// DropEnrolments implements [directory.Store].
func (s *Store) DropEnrolments(ctx context.Context, before int64) error {
	return s.writer.do(ctx, func() error {
		_, err := execute(s.writer.run.dropEnrolments, nil, before)
		return err
	})
}

// Enrolments implements [directory.Store].
func (s *Store) Enrolments(ctx context.Context, limit int) ([]directory.Enrolment, error) {
	rows, err := s.read.enrolments.QueryContext(ctx, max(limit, 0))
	if err != nil {
		return nil, err
	}
	return collect(rows, func(rows *sql.Rows) (directory.Enrolment, error) { return scanEnrolment(rows) })
}

// EnrolmentByID implements [directory.Store].
func (s *Store) EnrolmentByID(ctx context.Context, id [32]byte) (directory.Enrolment, error) {
	e, err := scanEnrolment(s.read.enrolmentByID.QueryRowContext(ctx, id[:]))
	return e, notFound(err, directory.ErrNotFound)
}

// SignEnrolment implements [directory.Store]; [directory.ErrNotFound] when
// there is no such request.
func (s *Store) SignEnrolment(ctx context.Context, id, certificate [32]byte) error {
	return s.writer.do(ctx, func() error {
		n, err := execute(s.writer.run.sign, nil, certificate[:], id[:])
		if err == nil && n == 0 {
			return refusal{directory.ErrNotFound}
		}
		return err
	})
}

// PutDepartmentKey implements [directory.Store]; a wrap of the same keys for
// the same device is replaced.
func (s *Store) PutDepartmentKey(ctx context.Context, device, dept [32]byte, wrap []byte) error {
	if len(wrap) == 0 {
		return errors.New("department key: wrap is empty")
	}
	return s.writer.do(ctx, func() error {
		_, err := execute(s.writer.run.upsertDepartmentKey, nil, device[:], dept[:], wrap)
		return err
	})
}

// DepartmentKeys implements [directory.Store].
func (s *Store) DepartmentKeys(ctx context.Context, device [32]byte) ([]directory.DepartmentKey, error) {
	rows, err := s.read.departmentKeys.QueryContext(ctx, device[:])
	if err != nil {
		return nil, err
	}
	return collect(rows, func(rows *sql.Rows) (k directory.DepartmentKey, err error) {
		err = rows.Scan(into(k.Certificate[:]), &k.Wrap)
		return k, err
	})
}

func scanObject(r row) (o directory.Object, err error) {
	err = r.Scan(into(o.Hash[:]), &o.Kind, into(o.Owner[:]), &o.Number, &o.Bytes)
	return o, err
}

func scanEnrolment(r row) (e directory.Enrolment, err error) {
	var certificate []byte // NULL while nobody has signed
	if err := r.Scan(into(e.ID[:]), into(e.Invitation[:]), &e.Request, &e.MAC, &e.At, &certificate); err != nil {
		return directory.Enrolment{}, err
	}
	if certificate != nil {
		err = into(e.Certificate[:]).Scan(certificate)
	}
	return e, err
}
