package sqlite

import (
	"database/sql"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aldaba-chat/aldaba/internal/conversation"
)

// What is asked again and again reads an index of what is open, however many
// conversations are over.
func TestLists_AreAnsweredByIndex(t *testing.T) {
	s := open(t, t.TempDir())
	for _, c := range []struct {
		name, query, index string
		parameters         int
	}{
		{"waiting", selectWaiting, "conversations_waiting", 2},
		{"taken", selectTaken, "conversations_taken", 2},
		{"open of a person", selectOpenOfPerson, "seats_open", 2},
		{"closed of a person", selectClosedOfPerson, "seats_closed", 2},
		{"load of a person", selectLoad, "seats_open", 2},
		{"room of a person", selectRoom, "seats_open", 3},
		{"length of the line", selectLine, "conversations_waiting", 1},
		{"place in the line", selectAhead, "conversations_waiting", 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			rows, err := s.readers.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+c.query, slices.Repeat([]any{0}, c.parameters)...)
			must(t, err)
			plan, err := collect(rows, func(rows *sql.Rows) (line string, err error) {
				var a, b, c int
				err = rows.Scan(&a, &b, &c, &line)
				return line, err
			})
			must(t, err)
			text := strings.Join(plan, "\n")
			if !strings.Contains(text, c.index) || strings.Contains(text, "SCAN s") || strings.Contains(text, "SCAN conversations") {
				t.Errorf("the plan is\n%s", text)
			}
		})
	}
}

// A database of an older version keeps who waits since when, and who answers.
func TestMigrate_SeatsOfOlderConversations(t *testing.T) {
	folder := t.TempDir()
	db, err := sql.Open("sqlite", address(filepath.Join(folder, "aldaba.db")))
	must(t, err)
	conn, err := db.Conn(t.Context())
	must(t, err)
	files, err := fs.Glob(migrations, "migrations/*.sql")
	must(t, err)
	const before = 3
	for i, name := range files[:before] {
		text, err := migrations.ReadFile(name)
		must(t, err)
		must(t, migrateOnce(t.Context(), conn, string(text), i+1))
	}
	conv, closed, ana := id(1), id(2), id(3)
	certificate := make([]byte, 60)
	certificate[36], certificate[38], certificate[53] = 2, 0xaa, 0xaa
	run := func(query string, args ...any) {
		t.Helper()
		_, err := conn.ExecContext(t.Context(), query, args...)
		must(t, err)
	}
	dept := [16]byte{1}
	for i, c := range [][32]byte{conv, closed} {
		run("INSERT INTO conversations (conv, dept, state, seq, at) VALUES (?, ?, ?, 1, 70)", c[:], dept[:], 2+i)
		run("INSERT INTO entries (conv, seq, hash, log, at, object) VALUES (?, 0, ?, ?, ?, x'00')", c[:], c[:], c[:], 40+i)
		for place, member := range [][32]byte{c, ana} {
			run("INSERT INTO members (conv, place, member) VALUES (?, ?, ?)", c[:], place, member[:])
		}
	}
	run("INSERT INTO objects (hash, kind, owner, number, bytes) VALUES (?, 8, ?, 0, ?)", ana[:], ana[:], certificate)
	must(t, conn.Close())
	must(t, db.Close())

	s := open(t, folder)
	subject := [16]byte(certificate[38:54])
	for _, closedOnes := range []bool{false, true} {
		list, err := s.OfPerson(t.Context(), subject, closedOnes, 10)
		must(t, err)
		want := conversation.Listed{Conv: conv, Dept: dept, State: conversation.Taken, Seq: 1, At: 70, Since: 40, Members: [][32]byte{conv, ana}}
		if closedOnes {
			want.Conv, want.State, want.Since, want.Members = closed, conversation.Closed, 41, [][32]byte{closed, ana}
		}
		equal(t, fmt.Sprint("closed: ", closedOnes), list, []conversation.Listed{want})
	}
}
