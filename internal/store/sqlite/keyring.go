package sqlite

import (
	"context"
	"errors"
)

const (
	insertKeyset  = `INSERT INTO keysets (purpose, wrapped) VALUES (?, ?)`
	selectKeysets = `SELECT purpose, wrapped FROM keysets`
)

var errKeysetThere = errors.New("there is a keyset for this purpose")

// Keysets implements [keyring.Store].
func (s *Store) Keysets(ctx context.Context) (map[string][]byte, error) {
	rows, err := s.read.keysets.QueryContext(ctx)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // Err says it
	all := map[string][]byte{}
	for rows.Next() {
		var purpose string
		var wrapped []byte
		if err := rows.Scan(&purpose, &wrapped); err != nil {
			return nil, err
		}
		all[purpose] = wrapped
	}
	return all, rows.Err()
}

// PutKeyset implements [keyring.Store].
func (s *Store) PutKeyset(ctx context.Context, purpose string, wrapped []byte) error {
	return s.writer.do(ctx, func() error {
		_, err := execute(s.writer.run.insertKeyset, errKeysetThere, purpose, wrapped)
		return err
	})
}
