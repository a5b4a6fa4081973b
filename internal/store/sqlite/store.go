// Package sqlite keeps conversations, the organisation's public objects and its
// sites in one SQLite database in the data folder. A write is answered when it is on the
// disk: write-ahead log, synchronous=FULL, one writer that commits together what
// waits together (docs/adr/0002-sqlite-and-one-writer.md).
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"runtime"
	"sync"

	"github.com/aldaba-chat/aldaba/internal/assist"
	"github.com/aldaba-chat/aldaba/internal/conversation"
	"github.com/aldaba-chat/aldaba/internal/directory"
	"github.com/aldaba-chat/aldaba/internal/identity"
	"github.com/aldaba-chat/aldaba/internal/keyring"
	"github.com/aldaba-chat/aldaba/internal/site"
)

var (
	_ conversation.Store = (*Store)(nil)
	_ directory.Store    = (*Store)(nil)
	_ keyring.Store      = (*Store)(nil)
	_ site.Store         = (*Store)(nil)
	_ assist.Store       = (*Store)(nil)
	_ identity.Store     = (*Store)(nil)
)

// ErrClosed is the answer to a write after [Store.Close].
var ErrClosed = errors.New("the store is closed")

// Store is an open data folder. Its methods are safe for concurrent use.
type Store struct {
	lock    *os.File
	readers *sql.DB
	read    reads
	opened  []*sql.Stmt // all of read
	writer  *writer
	close   sync.Once
	closed  error
}

// reads are the prepared statements of the readers.
type reads struct {
	entries, byHash, conversation, members, wraps                             *sql.Stmt
	waiting, taken, openOfPerson, closedOfPerson, load, line, ahead, answered *sql.Stmt
	objectByHash, objectsOfKind, keyObjects                                   *sql.Stmt
	enrolments, enrolmentByID, departmentKeys                                 *sql.Stmt
	keysets                                                                   *sql.Stmt
	sites, caps                                                               *sql.Stmt
	position, behind                                                          *sql.Stmt
	staff                                                                     staffReads
}

// Open opens the folder's database, creating it in an empty folder, and brings
// it to the version that this program knows. The folder must exist; it belongs
// to the store until [Store.Close], and a second Open of it is refused.
func Open(ctx context.Context, folder string, log *slog.Logger) (*Store, error) {
	lock, err := lockFolder(folder)
	if err != nil {
		return nil, err
	}
	s := &Store{lock: lock}
	if err := s.open(ctx, folder, log); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, folder string, log *slog.Logger) error {
	file, err := prepareFile(folder)
	if err != nil {
		return err
	}
	if s.writer, err = openWriter(ctx, file, log); err != nil {
		return err
	}
	if s.readers, err = sql.Open("sqlite", address(file, "query_only(1)")); err != nil {
		return fmt.Errorf("the database %s cannot be read: %w", file, err)
	}
	// More readers than processors only wait for each other.
	n := max(4, runtime.GOMAXPROCS(0))
	s.readers.SetMaxOpenConns(n)
	s.readers.SetMaxIdleConns(n)
	texts := map[**sql.Stmt]string{
		&s.read.entries:        selectEntries,
		&s.read.byHash:         selectEntryByHash,
		&s.read.conversation:   selectConversation,
		&s.read.waiting:        selectWaiting,
		&s.read.taken:          selectTaken,
		&s.read.openOfPerson:   selectOpenOfPerson,
		&s.read.closedOfPerson: selectClosedOfPerson,
		&s.read.load:           selectLoad,
		&s.read.line:           selectLine,
		&s.read.ahead:          selectAhead,
		&s.read.answered:       selectAnswered,
		&s.read.members:        selectMembers,
		&s.read.wraps:          selectWraps,
		&s.read.objectByHash:   selectObjectByHash,
		&s.read.objectsOfKind:  selectObjectsOfKind,
		&s.read.keyObjects:     selectKeyObjects,
		&s.read.enrolments:     selectEnrolments,
		&s.read.enrolmentByID:  selectEnrolmentByID,
		&s.read.departmentKeys: selectDepartmentKeys,
		&s.read.keysets:        selectKeysets,
		&s.read.sites:          selectSites,
		&s.read.caps:           selectCaps,
		&s.read.position:       selectPosition,
		&s.read.behind:         selectBehind,
	}
	maps.Copy(texts, s.read.staff.texts())
	s.opened, err = prepareAll(ctx, s.readers, texts)
	return err
}

// prepareAll prepares statements and gives them as a list too, for [closeAll].
// On an error the list holds those that were prepared before it.
func prepareAll(ctx context.Context, on interface {
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
}, texts map[**sql.Stmt]string,
) (opened []*sql.Stmt, err error) {
	for place, text := range texts {
		statement, err := on.PrepareContext(ctx, text) //nolint:sqlclosecheck // closeAll does
		if err != nil {
			return opened, fmt.Errorf("the database has not the tables it should have: restore a backup (%w)", err)
		}
		*place = statement
		opened = append(opened, statement)
	}
	return opened, nil
}

// closeAll closes statements. SQLite keeps a connection, with its write-ahead
// log, until the last of them is closed.
func closeAll(opened []*sql.Stmt) error {
	var all []error
	for _, statement := range opened {
		all = append(all, statement.Close())
	}
	return errors.Join(all...)
}

// Close ends the writes that are under way, closes the files and gives the
// folder back. Writes that come later get [ErrClosed].
func (s *Store) Close() error {
	s.close.Do(func() {
		var all []error
		if s.readers != nil {
			all = append(all, closeAll(s.opened), s.readers.Close())
		}
		if s.writer != nil {
			all = append(all, s.writer.close())
		}
		all = append(all, s.lock.Close()) // gives the lock back
		s.closed = errors.Join(all...)
	})
	return s.closed
}

// Failed delivers at most one error: what ended the store for good. A disk that
// has refused one commit cannot be trusted with the next, because what it holds
// by then is unknown; the process should end and read the disk anew.
func (s *Store) Failed() <-chan error { return s.writer.failed }

// Err is what ended the store for good, or nil while it takes writes.
func (s *Store) Err() error {
	if failure := s.writer.failure.Load(); failure != nil {
		return *failure
	}
	return nil
}

// into receives a column of fixed length.
type into []byte

// Scan implements [sql.Scanner].
func (d into) Scan(column any) error {
	b, ok := column.([]byte)
	if !ok || len(b) != len(d) {
		return fmt.Errorf("the database holds a value that has not the %d bytes it must have: restore a backup", len(d))
	}
	copy(d, b)
	return nil
}
