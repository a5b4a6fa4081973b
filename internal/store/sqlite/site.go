package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/go-json-experiment/json"

	"github.com/aldaba-chat/aldaba/internal/site"
)

const (
	selectSites = `SELECT site, seen_at, seen_origin FROM sites ORDER BY id`
	insertSite  = `INSERT INTO sites (id, site) VALUES (?, ?)`
	updateSite  = `UPDATE sites SET site = ? WHERE id = ?`
	deleteSite  = `DELETE FROM sites WHERE id = ?`
	sawSite     = `UPDATE sites SET seen_at = ?, seen_origin = ? WHERE id = ?`
	selectCaps  = `SELECT dept, open FROM caps`
	upsertCap   = `INSERT INTO caps (dept, open) VALUES (?, ?) ON CONFLICT (dept) DO UPDATE SET open = excluded.open`
)

// Sites implements [site.Store].
func (s *Store) Sites(ctx context.Context) ([]site.Site, error) {
	rows, err := s.read.sites.QueryContext(ctx)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(rows *sql.Rows) (one site.Site, err error) {
		var text string
		if err := rows.Scan(&text, &one.Seen.At, &one.Seen.Origin); err != nil {
			return one, err
		}
		if err := json.Unmarshal([]byte(text), &one, json.RejectUnknownMembers(true)); err != nil {
			return one, fmt.Errorf("the database holds a site that cannot be read: restore a backup (%w)", err)
		}
		return one, nil
	})
}

// AddSite implements [site.Store].
func (s *Store) AddSite(ctx context.Context, one site.Site) error {
	text, err := json.Marshal(one)
	if err != nil {
		return err
	}
	return s.writer.do(ctx, func() error {
		_, err := execute(s.writer.run.insertSite, site.ErrTaken, one.ID, string(text))
		return err
	})
}

// EditSite implements [site.Store].
func (s *Store) EditSite(ctx context.Context, one site.Site) error {
	text, err := json.Marshal(one)
	if err != nil {
		return err
	}
	return s.changeSite(ctx, s.writer.run.updateSite, string(text), one.ID)
}

// RemoveSite implements [site.Store].
func (s *Store) RemoveSite(ctx context.Context, id string) error {
	return s.changeSite(ctx, s.writer.run.deleteSite, id)
}

// SawSite implements [site.Store].
func (s *Store) SawSite(ctx context.Context, id string, seen site.Seen) error {
	return s.changeSite(ctx, s.writer.run.sawSite, seen.At, seen.Origin, id)
}

// changeSite runs a statement that must find its one site.
func (s *Store) changeSite(ctx context.Context, statement *sql.Stmt, args ...any) error {
	return s.writer.do(ctx, func() error {
		changed, err := execute(statement, nil, args...)
		if err == nil && changed == 0 {
			err = refusal{site.ErrNotFound}
		}
		return err
	})
}

// Caps implements [site.Store].
func (s *Store) Caps(ctx context.Context) (map[[16]byte]int, error) {
	rows, err := s.read.caps.QueryContext(ctx)
	if err != nil {
		return nil, err
	}
	caps := map[[16]byte]int{}
	_, err = collect(rows, func(rows *sql.Rows) (none struct{}, err error) {
		var dept [16]byte
		var open int
		err = rows.Scan(into(dept[:]), &open)
		caps[dept] = open
		return none, err
	})
	return caps, err
}

// SetCap implements [site.Store].
func (s *Store) SetCap(ctx context.Context, dept [16]byte, open int) error {
	return s.writer.do(ctx, func() error {
		_, err := execute(s.writer.run.upsertCap, nil, dept[:], open)
		return err
	})
}
