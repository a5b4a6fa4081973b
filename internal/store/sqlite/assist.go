package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
)

const (
	selectPosition = `SELECT next FROM assisted WHERE conv = ?`
	upsertPosition = `INSERT INTO assisted (conv, next) VALUES (?, ?)
		ON CONFLICT (conv) DO UPDATE SET next = max(next, excluded.next)`
	// It walks all conversations, once at each start.
	selectBehind = `SELECT c.conv FROM conversations c
		LEFT JOIN assisted a ON a.conv = c.conv
		WHERE c.conv > ? AND c.seq >= coalesce(a.next, 0)
			AND EXISTS (SELECT 1 FROM members m WHERE m.conv = c.conv AND m.member = ?)
		ORDER BY c.conv LIMIT ?`
)

// Next implements [assist.Store].
func (s *Store) Next(ctx context.Context, conv [32]byte) (next uint64, err error) {
	err = s.read.position.QueryRowContext(ctx, conv[:]).Scan(&next)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return next, err
}

// KeepNext implements [assist.Store].
func (s *Store) KeepNext(ctx context.Context, conv [32]byte, next uint64) error {
	if next > math.MaxInt64 {
		return fmt.Errorf("next %d is above %d", next, int64(math.MaxInt64))
	}
	return s.writer.do(ctx, func() error {
		_, err := execute(s.writer.run.upsertPosition, nil, conv[:], next)
		return err
	})
}

// Behind implements [assist.Store].
func (s *Store) Behind(ctx context.Context, member, after [32]byte, limit int) ([][32]byte, error) {
	rows, err := s.read.behind.QueryContext(ctx, after[:], member[:], max(limit, 0))
	if err != nil {
		return nil, err
	}
	return collect(rows, func(rows *sql.Rows) (conv [32]byte, err error) {
		err = rows.Scan(into(conv[:]))
		return conv, err
	})
}
