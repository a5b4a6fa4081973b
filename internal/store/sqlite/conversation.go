package sqlite

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/aldaba-chat/aldaba/internal/conversation"
)

const (
	insertConversation = `INSERT INTO conversations (conv, dept, state, seq, at, since, site) VALUES (?1, ?2, ?3, 0, ?4, ?4, ?5) ON CONFLICT DO NOTHING`
	// State 3 is conversation.Closed: after it a conversation begins again.
	updateConversation = `UPDATE conversations SET dept = ?1, state = ?2, seq = ?3, at = ?4,
			since = CASE WHEN state = 3 AND ?2 <> 3 THEN ?4 ELSE since END
		WHERE conv = ?5 AND seq = ?3 - 1`
	selectLastSeq = `SELECT seq FROM conversations WHERE conv = ?`
	insertEntry   = `INSERT INTO entries (conv, seq, hash, log, at, message, object) VALUES (?, ?, ?, ?, ?, ?, ?)`
	insertWrap    = `INSERT INTO wraps (conv, key, seq, place, object) VALUES (?, ?, ?, ?, ?)`
	selectMembers = `SELECT member FROM members WHERE conv = ? ORDER BY place`
	deleteMembers = `DELETE FROM members WHERE conv = ?`
	insertMember  = `INSERT INTO members (conv, place, member) VALUES (?, ?, ?)`
	deleteSeats   = `DELETE FROM seats WHERE conv = ?`
	insertSeat    = `INSERT INTO seats (conv, subject, dept) VALUES (?, ?, ?)`
	closeSeats    = `UPDATE seats SET closed = ? WHERE conv = ? AND closed IS NULL`
	selectRoom    = `SELECT count(*) FILTER (WHERE dept = ?2), count(*) FROM seats WHERE subject = ?1 AND closed IS NULL AND conv <> ?3`

	selectEntries      = `SELECT seq, object, hash, log, at FROM entries WHERE conv = ? AND seq >= ? ORDER BY seq LIMIT ?`
	selectEntryByHash  = `SELECT seq, object, hash, log, at FROM entries WHERE conv = ? AND hash = ?`
	selectConversation = `SELECT c.conv, c.dept, c.state, c.seq, c.at, c.since, c.site, m.member
		FROM conversations c LEFT JOIN members m ON m.conv = c.conv
		WHERE c.conv = ? ORDER BY m.place`
	// Each state is written out: only then the index of what is open is used.
	selectWaiting = `SELECT c.conv, c.dept, c.state, c.seq, c.at, c.since, c.site, m.member
		FROM (SELECT * FROM conversations WHERE dept = ? AND state = 1 ORDER BY since, conv LIMIT ?) c
		LEFT JOIN members m ON m.conv = c.conv
		ORDER BY c.since, c.conv, m.place`
	selectTaken = `SELECT c.conv, c.dept, c.state, c.seq, c.at, c.since, c.site, m.member
		FROM (SELECT * FROM conversations WHERE dept = ? AND state = 2 ORDER BY since, conv LIMIT ?) c
		LEFT JOIN members m ON m.conv = c.conv
		ORDER BY c.since, c.conv, m.place`
	selectOpenOfPerson = `SELECT c.conv, c.dept, c.state, c.seq, c.at, c.since, c.site, m.member
		FROM (SELECT c.* FROM seats s JOIN conversations c ON c.conv = s.conv
			WHERE s.subject = ? AND s.closed IS NULL ORDER BY c.at DESC, c.conv LIMIT ?) c
		LEFT JOIN members m ON m.conv = c.conv
		ORDER BY c.at DESC, c.conv, m.place`
	selectClosedOfPerson = `SELECT c.conv, c.dept, c.state, c.seq, c.at, c.since, c.site, m.member
		FROM (SELECT c.* FROM seats s JOIN conversations c ON c.conv = s.conv
			WHERE s.subject = ? AND s.closed IS NOT NULL ORDER BY s.closed DESC, s.conv LIMIT ?) c
		LEFT JOIN members m ON m.conv = c.conv
		ORDER BY c.at DESC, c.conv, m.place`
	selectLoad     = `SELECT count(*) FILTER (WHERE dept = ?2), count(*) FROM seats WHERE subject = ?1 AND closed IS NULL`
	selectLine     = `SELECT count(*), coalesce(min(since), 0) FROM conversations WHERE dept = ? AND state = 1`
	selectAhead    = `SELECT count(*) FROM conversations WHERE dept = ?1 AND state = 1 AND (since, conv) < (?2, ?3)`
	selectAnswered = `SELECT EXISTS (SELECT 1 FROM seats)`
	selectWraps    = `SELECT seq, place, object FROM wraps WHERE conv = ? AND key = ? ORDER BY seq, place`
)

// Append implements [conversation.Store]. The records of one call are one
// change: all are kept or none.
func (s *Store) Append(ctx context.Context, records ...conversation.Record) error {
	if len(records) == 0 {
		return errors.New("append without a record")
	}
	for i := range records {
		if err := checkRecord(&records[i]); err != nil {
			return err
		}
	}
	return s.writer.do(ctx, func() error {
		for i := range records {
			if err := s.writer.append(&records[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// checkRecord refuses what the tables would, with the name of the field.
func checkRecord(r *conversation.Record) error {
	switch {
	case r.State < conversation.Waiting || r.State > conversation.Closed:
		return fmt.Errorf("record: state %d is not one of 1 to 3", r.State)
	case r.Entry.Seq > math.MaxInt64:
		return fmt.Errorf("record: seq %d is above %d", r.Entry.Seq, int64(math.MaxInt64))
	case len(r.Entry.Object) == 0:
		return errors.New("record: object is empty")
	case r.Message != nil && len(r.Message) != 18:
		return fmt.Errorf("record: message has %d bytes, not 18", len(r.Message))
	}
	for i := range r.Wraps {
		if len(r.Wraps[i].Object) == 0 {
			return fmt.Errorf("record: wrap %d is empty", i)
		}
	}
	for i, m := range r.Seats {
		if slices.Contains(r.Seats[:i], m) {
			return fmt.Errorf("record: seat %d is there twice", i)
		}
	}
	for i, m := range r.Members {
		if slices.Contains(r.Members[:i], m) {
			return fmt.Errorf("record: member %d is there twice", i)
		}
	}
	return nil
}

func (w *writer) append(r *conversation.Record) error {
	if err := w.checkRoom(r); err != nil {
		return err
	}
	if err := w.advance(r); err != nil {
		return err
	}
	e := &r.Entry
	var message any // NULL for other kinds than events
	if r.Message != nil {
		message = r.Message
	}
	if _, err := execute(w.run.insertEntry, conversation.ErrTaken, r.Conv[:], e.Seq, e.Hash[:], e.Log[:], e.At, message, e.Object); err != nil {
		return err
	}
	for place := range r.Wraps {
		wrap := &r.Wraps[place]
		if _, err := execute(w.run.insertWrap, conversation.ErrTaken, r.Conv[:], wrap.To[:], e.Seq, place, wrap.Object); err != nil {
			return err
		}
	}
	if err := w.setMembers(r); err != nil {
		return err
	}
	return w.setSeats(r)
}

// checkRoom counts in the transaction, so that two accepts at once cannot both
// take the last place.
func (w *writer) checkRoom(r *conversation.Record) error {
	if r.Room == nil {
		return nil
	}
	var inDept, inAll int
	err := w.run.room.QueryRowContext(background, r.Room.Subject[:], r.Dept[:], r.Conv[:]).Scan(&inDept, &inAll)
	if err == nil && (inDept >= r.Room.InDept || inAll >= r.Room.InAll) {
		return refusal{conversation.ErrFull}
	}
	return err
}

// setSeats writes who answers. Only what is no message changes that, and a close.
func (w *writer) setSeats(r *conversation.Record) error {
	if r.State == conversation.Closed {
		_, err := execute(w.run.closeSeats, nil, r.Entry.At, r.Conv[:])
		return err
	}
	if r.Message != nil {
		return nil
	}
	if _, err := execute(w.run.deleteSeats, nil, r.Conv[:]); err != nil {
		return err
	}
	for _, subject := range r.Seats {
		if _, err := execute(w.run.insertSeat, nil, r.Conv[:], subject[:], r.Dept[:]); err != nil {
			return err
		}
	}
	return nil
}

// advance moves the conversation to the record's sequence, which must be the next.
func (w *writer) advance(r *conversation.Record) error {
	seq := r.Entry.Seq
	var moved int64
	var err error
	if seq == 0 {
		moved, err = execute(w.run.insertConversation, conversation.ErrTaken, r.Conv[:], r.Dept[:], r.State, r.Entry.At, r.Site)
	} else {
		moved, err = execute(w.run.updateConversation, conversation.ErrTaken, r.Dept[:], r.State, seq, r.Entry.At, r.Conv[:])
	}
	if err != nil || moved == 1 {
		return err
	}
	var last uint64
	err = w.run.lastSeq.QueryRowContext(background, r.Conv[:]).Scan(&last)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return refusal{fmt.Errorf("record: seq is %d in a conversation that has not begun, it must be 0", seq)}
	case err != nil:
		return err
	case seq <= last:
		return refusal{conversation.ErrTaken}
	}
	return refusal{fmt.Errorf("record: seq is %d and must be %d, the next", seq, last+1)}
}

// setMembers writes the members when they have changed, which is seldom.
func (w *writer) setMembers(r *conversation.Record) error {
	rows, err := w.run.selectMembers.QueryContext(background, r.Conv[:])
	if err != nil {
		return err
	}
	before, err := collect(rows, func(rows *sql.Rows) (m [32]byte, err error) {
		err = rows.Scan(into(m[:]))
		return m, err
	})
	if err != nil || slices.Equal(before, r.Members) {
		return err
	}
	if _, err := execute(w.run.deleteMembers, conversation.ErrTaken, r.Conv[:]); err != nil {
		return err
	}
	for place, m := range r.Members {
		if _, err := execute(w.run.insertMember, conversation.ErrTaken, r.Conv[:], place, m[:]); err != nil {
			return err
		}
	}
	return nil
}

// Entries implements [conversation.Store].
func (s *Store) Entries(ctx context.Context, conv [32]byte, from uint64, limit int) ([]conversation.Entry, error) {
	if from > math.MaxInt64 {
		return nil, nil
	}
	rows, err := s.read.entries.QueryContext(ctx, conv[:], from, max(limit, 0))
	if err != nil {
		return nil, err
	}
	return collect(rows, func(rows *sql.Rows) (conversation.Entry, error) { return scanEntry(rows) })
}

// ByHash implements [conversation.Store].
func (s *Store) ByHash(ctx context.Context, conv, hash [32]byte) (conversation.Entry, error) {
	e, err := scanEntry(s.read.byHash.QueryRowContext(ctx, conv[:], hash[:]))
	return e, notFound(err, conversation.ErrNotFound)
}

// Conversation implements [conversation.Store].
func (s *Store) Conversation(ctx context.Context, conv [32]byte) (conversation.Listed, error) {
	rows, err := s.read.conversation.QueryContext(ctx, conv[:])
	if err != nil {
		return conversation.Listed{}, err
	}
	listed, err := collectListed(rows)
	if err != nil {
		return conversation.Listed{}, err
	}
	if len(listed) == 0 {
		return conversation.Listed{}, conversation.ErrNotFound
	}
	return listed[0], nil
}

// Wraps implements [conversation.Store].
func (s *Store) Wraps(ctx context.Context, conv [32]byte, to [][32]byte) ([][]byte, error) {
	type wrap struct {
		seq, place int64
		object     []byte
	}
	var all []wrap
	for i, key := range to {
		if slices.Contains(to[:i], key) {
			continue
		}
		rows, err := s.read.wraps.QueryContext(ctx, conv[:], key[:])
		if err != nil {
			return nil, err
		}
		some, err := collect(rows, func(rows *sql.Rows) (w wrap, err error) {
			err = rows.Scan(&w.seq, &w.place, &w.object)
			return w, err
		})
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	slices.SortFunc(all, func(a, b wrap) int {
		return cmp.Or(cmp.Compare(a.seq, b.seq), cmp.Compare(a.place, b.place))
	})
	objects := make([][]byte, len(all))
	for i, w := range all {
		objects[i] = w.object
	}
	return objects, nil
}

// OfDepartment implements [conversation.Store].
func (s *Store) OfDepartment(ctx context.Context, dept [16]byte, state conversation.State, limit int) ([]conversation.Listed, error) {
	statement := s.read.waiting
	switch state {
	case conversation.Waiting:
	case conversation.Taken:
		statement = s.read.taken
	default:
		return nil, fmt.Errorf("a department lists what is waiting or taken, not state %d", state)
	}
	rows, err := statement.QueryContext(ctx, dept[:], max(limit, 0))
	if err != nil {
		return nil, err
	}
	return collectListed(rows)
}

// OfPerson implements [conversation.Store].
func (s *Store) OfPerson(ctx context.Context, subject [16]byte, closed bool, limit int) ([]conversation.Listed, error) {
	statement := s.read.openOfPerson
	if closed {
		statement = s.read.closedOfPerson
	}
	rows, err := statement.QueryContext(ctx, subject[:], max(limit, 0))
	if err != nil {
		return nil, err
	}
	return collectListed(rows)
}

// Load implements [conversation.Store].
func (s *Store) Load(ctx context.Context, subject, dept [16]byte) (inDept, inAll int, err error) {
	err = s.read.load.QueryRowContext(ctx, subject[:], dept[:]).Scan(&inDept, &inAll)
	return inDept, inAll, err
}

// Line implements [conversation.Store].
func (s *Store) Line(ctx context.Context, dept [16]byte) (waiting int, oldest int64, err error) {
	err = s.read.line.QueryRowContext(ctx, dept[:]).Scan(&waiting, &oldest)
	return waiting, oldest, err
}

// Answered implements [conversation.Store].
func (s *Store) Answered(ctx context.Context) (answered bool, err error) {
	err = s.read.answered.QueryRowContext(ctx).Scan(&answered)
	return answered, err
}

// Ahead implements [conversation.Store].
func (s *Store) Ahead(ctx context.Context, l conversation.Listed) (ahead int, err error) {
	err = s.read.ahead.QueryRowContext(ctx, l.Dept[:], l.Since, l.Conv[:]).Scan(&ahead)
	return ahead, err
}

// collectListed puts rows of one conversation, one for each member, together.
func collectListed(rows *sql.Rows) ([]conversation.Listed, error) {
	var all []conversation.Listed
	_, err := collect(rows, func(rows *sql.Rows) (none struct{}, err error) {
		var l conversation.Listed
		var member []byte // NULL when there is none
		if err := rows.Scan(into(l.Conv[:]), into(l.Dept[:]), &l.State, &l.Seq, &l.At, &l.Since, &l.Site, &member); err != nil {
			return none, err
		}
		if n := len(all); n == 0 || !bytes.Equal(all[n-1].Conv[:], l.Conv[:]) {
			all = append(all, l)
		}
		if member == nil {
			return none, nil
		}
		var m [32]byte
		last := &all[len(all)-1]
		last.Members = append(last.Members, m)
		return none, into(last.Members[len(last.Members)-1][:]).Scan(member)
	})
	return all, err
}

// row is a *sql.Row or *sql.Rows.
type row interface{ Scan(into ...any) error }

func scanEntry(r row) (e conversation.Entry, err error) {
	err = r.Scan(&e.Seq, &e.Object, into(e.Hash[:]), into(e.Log[:]), &e.At)
	return e, err
}

// collect reads all rows and closes them.
func collect[T any](rows *sql.Rows, scan func(*sql.Rows) (T, error)) ([]T, error) {
	defer rows.Close() //nolint:errcheck // Err has reported what happened by then
	var all []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

// notFound replaces database/sql's error for no row by the interface's.
func notFound(err, is error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return is
	}
	return err
}
