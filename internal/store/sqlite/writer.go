package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync/atomic"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// maxBatch is how many writes one commit carries at most.
const maxBatch = 256

// writer is the one connection that writes, and the one goroutine that uses it.
type writer struct {
	db      *sql.DB
	conn    *sql.Conn
	run     statements
	opened  []*sql.Stmt   // all of run
	ours    bool          // the file is a database that this program may write
	queue   chan *write   // unbuffered: what the goroutine has not taken waits in its sender
	closing chan struct{} // closed by close
	ended   chan struct{} // closed when the goroutine has ended
	failed  chan error
	failure atomic.Pointer[error] // what was sent on failed
	commits atomic.Int64
}

// statements are prepared on the writer's connection.
type statements struct {
	begin, commit, rollback, savepoint, undo, release *sql.Stmt

	insertConversation, updateConversation, lastSeq         *sql.Stmt
	insertEntry, insertWrap                                 *sql.Stmt
	selectMembers, deleteMembers, insertMember              *sql.Stmt
	room, deleteSeats, insertSeat, closeSeats               *sql.Stmt
	insertObject                                            *sql.Stmt
	enrolmentOf, insertEnrolment, sign, upsertDepartmentKey *sql.Stmt
	dropEnrolments                                          *sql.Stmt
	insertKeyset                                            *sql.Stmt
	insertSite, updateSite, deleteSite, sawSite, upsertCap  *sql.Stmt
	upsertPosition                                          *sql.Stmt
	staffReads
	staffWrites
}

// write is one caller's change, waiting for its commit.
type write struct {
	ctx    context.Context
	change func() error
	answer chan error // buffered: the goroutine waits for nobody
}

// refusal is an error by which a change undoes itself alone; every other error
// of the database ends the store.
type refusal struct{ error }

func (r refusal) Unwrap() error { return r.error }

// background is the context of the writer's statements: a caller that goes away
// must not tear the transaction of the others.
var background = context.Background()

func openWriter(ctx context.Context, file string, log *slog.Logger) (*writer, error) {
	db, err := sql.Open("sqlite", address(file))
	if err != nil {
		return nil, fmt.Errorf("the database %s cannot be opened: %w", file, err)
	}
	db.SetMaxOpenConns(1)
	w := &writer{
		db:      db,
		queue:   make(chan *write),
		closing: make(chan struct{}),
		ended:   make(chan struct{}),
		failed:  make(chan error, 1),
	}
	if err := w.prepare(ctx, file, log); err != nil {
		close(w.ended) // it never began
		return nil, errors.Join(err, w.close())
	}
	go w.loop()
	return w, nil
}

func (w *writer) prepare(ctx context.Context, file string, log *slog.Logger) error {
	conn, err := w.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("the database %s cannot be opened, it may be damaged: restore a backup (%w)", file, err)
	}
	w.conn = conn
	version, err := judge(ctx, conn, file)
	if err != nil {
		return err
	}
	w.ours = true
	if err := configure(ctx, conn); err != nil {
		return err
	}
	if err := migrate(ctx, conn, version, log); err != nil {
		return err
	}
	texts := map[**sql.Stmt]string{
		&w.run.begin:     "BEGIN IMMEDIATE",
		&w.run.commit:    "COMMIT",
		&w.run.rollback:  "ROLLBACK",
		&w.run.savepoint: "SAVEPOINT change",
		&w.run.undo:      "ROLLBACK TO change",
		&w.run.release:   "RELEASE change",

		&w.run.insertConversation: insertConversation,
		&w.run.updateConversation: updateConversation,
		&w.run.lastSeq:            selectLastSeq,
		&w.run.insertEntry:        insertEntry,
		&w.run.insertWrap:         insertWrap,
		&w.run.selectMembers:      selectMembers,
		&w.run.deleteMembers:      deleteMembers,
		&w.run.insertMember:       insertMember,
		&w.run.room:               selectRoom,
		&w.run.deleteSeats:        deleteSeats,
		&w.run.insertSeat:         insertSeat,
		&w.run.closeSeats:         closeSeats,

		&w.run.insertObject:        insertObject,
		&w.run.enrolmentOf:         selectEnrolmentOf,
		&w.run.insertEnrolment:     insertEnrolment,
		&w.run.sign:                signEnrolment,
		&w.run.dropEnrolments:      dropEnrolments,
		&w.run.upsertPosition:      upsertPosition,
		&w.run.upsertDepartmentKey: upsertDepartmentKey,
		&w.run.insertKeyset:        insertKeyset,

		&w.run.insertSite: insertSite,
		&w.run.updateSite: updateSite,
		&w.run.deleteSite: deleteSite,
		&w.run.sawSite:    sawSite,
		&w.run.upsertCap:  upsertCap,
	}
	maps.Copy(texts, w.run.staffReads.texts())
	maps.Copy(texts, w.run.staffWrites.texts())
	w.opened, err = prepareAll(background, conn, texts)
	return err
}

// do hands a change in and returns after its commit. A caller whose context
// ends first gets the context's error, and its change may be committed or not.
func (w *writer) do(ctx context.Context, change func() error) error {
	c := &write{ctx: ctx, change: change, answer: make(chan error, 1)}
	select {
	case w.queue <- c:
	case <-w.closing:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-c.answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *writer) close() error {
	select {
	case <-w.closing:
		return nil
	default:
		close(w.closing)
	}
	<-w.ended
	all := []error{closeAll(w.opened)}
	if w.ours { // what was deleted shall not stay in the write-ahead log
		var busy, pages, moved int
		all = append(all, w.conn.QueryRowContext(background, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &moved))
	}
	if w.conn != nil {
		all = append(all, w.conn.Close())
	}
	all = append(all, w.db.Close())
	return errors.Join(all...)
}

func (w *writer) loop() {
	defer close(w.ended)
	var failure error
	batch := make([]*write, 0, maxBatch)
	for {
		batch = batch[:0]
		select {
		case c := <-w.queue:
			batch = append(batch, c)
		case <-w.closing:
			return
		}
	gather:
		for len(batch) < maxBatch {
			select {
			case c := <-w.queue:
				batch = append(batch, c)
			default:
				break gather
			}
		}
		if failure == nil {
			failure = w.commit(batch)
			if failure != nil {
				w.failure.Store(&failure)
				w.failed <- failure
			}
			continue
		}
		for _, c := range batch {
			c.answer <- failure
		}
	}
}

// commit makes the changes of the batch in one transaction and answers their
// callers. It returns the error that ends the store.
func (w *writer) commit(batch []*write) error {
	answers := make([]error, len(batch))
	failure, err := w.transaction(batch, answers)
	if failure != nil {
		failure = fmt.Errorf("the database failed and takes no more writes; look after the disk, then start the server again: %w", failure)
		err = failure
	}
	for i, c := range batch {
		if err != nil {
			answers[i] = err
		}
		c.answer <- answers[i]
	}
	return failure
}

// transaction fills answers. With an error nothing of the batch is committed;
// failure is an error after which the connection cannot be trusted.
func (w *writer) transaction(batch []*write, answers []error) (failure, err error) {
	if _, err := w.run.begin.ExecContext(background); err != nil {
		if code(err)&0xff == sqlite3.SQLITE_BUSY { // somebody looks into the file with another program
			return nil, fmt.Errorf("the database is held by another program: close it and try again: %w", err)
		}
		return err, nil
	}
	for i, c := range batch {
		if answers[i] = c.ctx.Err(); answers[i] != nil {
			continue // its caller has gone
		}
		if answers[i], err = w.change(c); err != nil {
			// The database may have rolled back on its own, so a second error says nothing.
			_, _ = w.run.rollback.ExecContext(background)
			return err, nil
		}
	}
	if _, err := w.run.commit.ExecContext(background); err != nil {
		_, _ = w.run.rollback.ExecContext(background)
		return err, nil
	}
	w.commits.Add(1)
	return nil, nil
}

// change makes one change, which by a refusal undoes itself alone.
func (w *writer) change(c *write) (refused, failure error) {
	if _, err := w.run.savepoint.ExecContext(background); err != nil {
		return nil, err
	}
	err := c.change()
	if err != nil {
		var r refusal
		if !errors.As(err, &r) {
			return nil, err
		}
		refused = r.error
		if _, err := w.run.undo.ExecContext(background); err != nil {
			return nil, err
		}
	}
	if _, err := w.run.release.ExecContext(background); err != nil {
		return nil, err
	}
	return refused, nil
}

// execute runs a statement of a change and gives the number of rows it wrote. What
// breaks a rule of a table is a refusal with the error that taken is.
func execute(s *sql.Stmt, taken error, args ...any) (int64, error) {
	result, err := s.ExecContext(background, args...)
	if err != nil {
		switch c := code(err); {
		case c == sqlite3.SQLITE_CONSTRAINT_UNIQUE, c == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
			return 0, refusal{taken}
		case c&0xff == sqlite3.SQLITE_CONSTRAINT, c&0xff == sqlite3.SQLITE_TOOBIG:
			return 0, refusal{fmt.Errorf("the store does not take this: %w", err)}
		}
		return 0, err
	}
	return result.RowsAffected()
}

// code is SQLite's extended result code, 0 for other errors.
func code(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return 0
}
