package sqlite

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aldaba-chat/aldaba/internal/conversation"
	"github.com/aldaba-chat/aldaba/internal/directory"
	"github.com/aldaba-chat/aldaba/internal/store/storetest"
)

// writerVariable makes TestMain a program that appends until it is killed.
const writerVariable = "ALDABA_TEST_WRITER"

func TestMain(m *testing.M) {
	if folder := os.Getenv(writerVariable); folder != "" {
		appendUntilKilled(folder)
	}
	os.Exit(m.Run())
}

var quiet = slog.New(slog.DiscardHandler)

func open(t testing.TB, folder string) *Store {
	t.Helper()
	s, err := Open(t.Context(), folder, quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// id gives a different id of 32 bytes for each list of numbers.
func id(numbers ...uint64) [32]byte {
	var b []byte
	for _, n := range numbers {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return sha256.Sum256(b)
}

// record makes the given entry of a conversation, without a message.
func record(conv [32]byte, seq uint64) conversation.Record {
	object := fmt.Appendf(nil, "%x entry %d", conv[:4], seq)
	return conversation.Record{
		Conv:  conv,
		Dept:  [16]byte{1},
		Entry: conversation.Entry{Seq: seq, Object: object, Hash: sha256.Sum256(object), Log: id(seq, 99), At: 1000 + int64(seq)},
		State: conversation.Waiting, Members: [][32]byte{conv},
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal(t testing.TB, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n got %v\nwant %v", what, got, want)
	}
}

// One bad change in a batch leaves the others alone.
func TestAppend_BatchIsolatesRefusals(t *testing.T) {
	s := open(t, t.TempDir())
	must(t, s.Append(t.Context(), record(id(0), 0)))
	var changes []*write
	for i := range uint64(20) {
		r := record(id(i%10), 0) // each twice, and the first is there
		changes = append(changes, &write{ctx: t.Context(), answer: make(chan error, 1), change: func() error { return s.writer.append(&r) }})
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	r := record(id(77), 0)
	changes = append(changes, &write{ctx: gone, answer: make(chan error, 1), change: func() error { return s.writer.append(&r) }})
	// The goroutine of the writer waits in its queue, so this one may use the connection.
	before := s.writer.commits.Load()
	must(t, s.writer.commit(changes))
	if got := s.writer.commits.Load() - before; got != 1 {
		t.Errorf("%d commits for one batch", got)
	}
	for i, c := range changes {
		var want error
		switch {
		case i == 20:
			want = context.Canceled
		case i == 0 || i >= 10:
			want = conversation.ErrTaken
		}
		if err := <-c.answer; !errors.Is(err, want) {
			t.Errorf("change %d: got %v, want %v", i, err, want)
		}
	}
	waiting, err := s.OfDepartment(t.Context(), [16]byte{1}, conversation.Waiting, 100)
	must(t, err)
	equal(t, "conversations", len(waiting), 10)
	for i, l := range waiting[1:] {
		if l.At < waiting[i].At {
			t.Errorf("who waits longest does not come first")
		}
	}
}

func TestAppend_Concurrent(t *testing.T) {
	const writers, each = 32, 40
	folder := t.TempDir()
	s := open(t, folder)
	var all sync.WaitGroup
	for w := range uint64(writers) {
		all.Go(func() {
			for seq := range uint64(each) {
				if err := s.Append(context.Background(), record(id(w), seq)); err != nil {
					t.Errorf("writer %d, entry %d: %v", w, seq, err)
				}
			}
		})
	}
	all.Wait()
	if commits := s.writer.commits.Load(); commits >= writers*each {
		t.Errorf("%d commits for %d appends: nothing was gathered", commits, writers*each)
	}
	must(t, s.Close())
	s = open(t, folder)
	for w := range uint64(writers) {
		entries, err := s.Entries(t.Context(), id(w), 0, each+1)
		must(t, err)
		if len(entries) != each {
			t.Fatalf("writer %d: %d entries, want %d", w, len(entries), each)
		}
		for seq, e := range entries {
			equal(t, "entry", e, record(id(w), uint64(seq)).Entry)
		}
	}
}

// Whoever wins a place, there is one winner.
func TestAppend_Race(t *testing.T) {
	s := open(t, t.TempDir())
	conv := id(1)
	var all sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for n := range 16 {
		all.Go(func() {
			r := record(conv, 0)
			r.Entry.Hash = id(uint64(n))
			err := s.Append(context.Background(), r)
			if err == nil {
				mu.Lock()
				won++
				mu.Unlock()
			} else if !errors.Is(err, conversation.ErrTaken) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	equal(t, "winners", won, 1)
}

func TestOpen_SecondRefused(t *testing.T) {
	folder := t.TempDir()
	s := open(t, folder)
	_, err := Open(t.Context(), folder, quiet)
	if err == nil || !strings.Contains(err.Error(), folder) || !strings.Contains(err.Error(), "is in use") {
		t.Errorf("got %v, want a sentence with the folder", err)
	}
	must(t, s.Close())
	must(t, s.Close()) // again
	if err := s.Append(t.Context(), record(id(1), 0)); !errors.Is(err, ErrClosed) {
		t.Errorf("an append after Close: got %v", err)
	}
	if _, err := os.Stat(filepath.Join(folder, "aldaba.db-wal")); err == nil {
		t.Error("the write-ahead log stayed after Close")
	}
	open(t, folder) // the lock was given back
}

func TestOpen_OwnerOnly(t *testing.T) {
	folder := t.TempDir()
	must(t, os.WriteFile(filepath.Join(folder, "aldaba.db"), nil, 0o644))
	s := open(t, folder)
	must(t, s.Append(t.Context(), record(id(1), 0)))
	for _, name := range []string{"lock", "aldaba.db", "aldaba.db-wal", "aldaba.db-shm"} {
		info, err := os.Stat(filepath.Join(folder, name))
		must(t, err)
		if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("%s has mode %04o", name, mode)
		}
	}
}

// Names of folders are no addresses: what has a meaning in one is escaped.
func TestOpen_FolderName(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "a ?mode=ro&x#y%41+ñ")
	must(t, os.Mkdir(folder, 0o700))
	must(t, open(t, folder).Append(t.Context(), record(id(1), 0)))
	if info, err := os.Stat(filepath.Join(folder, "aldaba.db")); err != nil || info.Size() == 0 {
		t.Errorf("the database is not in its folder: %v", err)
	}
	t.Chdir(folder)
	must(t, os.Mkdir("below:this", 0o700))
	must(t, open(t, "below:this").Append(t.Context(), record(id(1), 0)))
	if info, err := os.Stat(filepath.Join("below:this", "aldaba.db")); err != nil || info.Size() == 0 {
		t.Errorf("the database is not in its folder: %v", err)
	}
}

// What is no database of ours is refused and stays as it is.
func TestOpen_ForeignFiles(t *testing.T) {
	query := func(folder, text string) {
		t.Helper()
		db, err := sql.Open("sqlite", address(filepath.Join(folder, "aldaba.db")))
		must(t, err)
		_, err = db.Exec(text)
		must(t, err)
		must(t, db.Close())
	}
	patch := func(folder string, at int64, b []byte) {
		t.Helper()
		f, err := os.OpenFile(filepath.Join(folder, "aldaba.db"), os.O_WRONLY, 0)
		must(t, err)
		_, err = f.WriteAt(b, at)
		must(t, errors.Join(err, f.Close()))
	}
	ours := func(folder string) {
		t.Helper()
		s := open(t, folder)
		must(t, s.Append(t.Context(), record(id(1), 0)))
		must(t, s.Close())
	}
	for _, c := range []struct {
		name string
		make func(folder string)
		want string
	}{
		{"a text", func(folder string) {
			must(t, os.WriteFile(filepath.Join(folder, "aldaba.db"), []byte("dear diary, this is no database"), 0o600))
		}, "is no database"},
		{"a short file", func(folder string) {
			must(t, os.WriteFile(filepath.Join(folder, "aldaba.db"), []byte("x"), 0o600))
		}, "is no database"},
		{"a damaged header", func(folder string) { ours(folder); patch(folder, 3, []byte{0xff}) }, "header is damaged"},
		{"a damaged page size", func(folder string) { ours(folder); patch(folder, 16, []byte{0x33, 0x33}) }, "may be damaged"},
		{"another program's", func(folder string) { query(folder, "CREATE TABLE songs (name TEXT)") }, "another program"},
		{"another program's by its id", func(folder string) { query(folder, "PRAGMA application_id = 7") }, "another program"},
		{"a newer version", func(folder string) { ours(folder); query(folder, "PRAGMA user_version = 1000") }, "version 1000"},
		{"a missing table", func(folder string) { ours(folder); query(folder, "DROP TABLE wraps") }, "has not the tables"},
		{"a log without its database", func(folder string) {
			must(t, os.WriteFile(filepath.Join(folder, "aldaba.db-wal"), []byte("frames"), 0o600))
		}, "the database was lost"},
	} {
		t.Run(c.name, func(t *testing.T) {
			folder := t.TempDir()
			c.make(folder)
			before, _ := os.ReadFile(filepath.Join(folder, "aldaba.db"))
			s, err := Open(t.Context(), folder, quiet)
			if err == nil {
				s.Close()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			after, err := os.ReadFile(filepath.Join(folder, "aldaba.db"))
			must(t, err)
			if !bytes.Equal(after, before) {
				t.Error("the file was changed")
			}
		})
	}
	if _, err := Open(t.Context(), filepath.Join(t.TempDir(), "gone"), quiet); err == nil {
		t.Error("a folder that is not there was opened")
	}
}

func TestVerify_UnsafeSettings(t *testing.T) {
	for _, c := range []struct{ setting, text string }{
		{"synchronous", "PRAGMA synchronous = NORMAL"},
		{"synchronous", "PRAGMA synchronous = OFF"},
		{"secure_delete", "PRAGMA secure_delete = OFF"},
		{"secure_delete", "PRAGMA secure_delete = FAST"},
		{"foreign_keys", "PRAGMA foreign_keys = OFF"},
		{"journal_mode", "PRAGMA journal_mode = DELETE"},
		{"journal_mode", "PRAGMA journal_mode = MEMORY"},
	} {
		t.Run(c.text, func(t *testing.T) {
			db, err := sql.Open("sqlite", address(filepath.Join(t.TempDir(), "x.db")))
			must(t, err)
			defer db.Close()
			conn, err := db.Conn(t.Context())
			must(t, err)
			defer conn.Close()
			must(t, configure(t.Context(), conn))
			_, err = conn.ExecContext(t.Context(), c.text)
			must(t, err)
			if err := verify(t.Context(), conn); err == nil || !strings.Contains(err.Error(), c.setting) {
				t.Errorf("got %v, want a complaint about %s", err, c.setting)
			}
		})
	}
	t.Run("in memory", func(t *testing.T) {
		db, err := sql.Open("sqlite", ":memory:")
		must(t, err)
		defer db.Close()
		conn, err := db.Conn(t.Context())
		must(t, err)
		defer conn.Close()
		if err := configure(t.Context(), conn); err == nil {
			t.Error("a database that is in no file was called durable")
		}
	})
}

// Readers cannot write, by mistake or otherwise.
func TestReaders_CannotWrite(t *testing.T) {
	s := open(t, t.TempDir())
	if _, err := s.readers.Exec("DELETE FROM entries"); err == nil || !strings.Contains(err.Error(), "readonly") {
		t.Errorf("got %v", err)
	}
}

// After an error of the database nothing more is taken, and the owner hears of it.
func TestFailed_EndsTheStore(t *testing.T) {
	s := open(t, t.TempDir())
	ctx := t.Context()
	must(t, s.Append(ctx, record(id(1), 0)))
	broken := errors.New("disk I/O error")
	err := s.writer.do(ctx, func() error {
		r := record(id(2), 0)
		if err := s.writer.append(&r); err != nil {
			return err
		}
		return broken
	})
	if !errors.Is(err, broken) {
		t.Fatalf("got %v", err)
	}
	if err := s.Append(ctx, record(id(1), 1)); !errors.Is(err, broken) {
		t.Errorf("a later append: got %v", err)
	}
	if err := s.PutObjects(ctx, directory.Object{Bytes: []byte("x")}); !errors.Is(err, broken) {
		t.Errorf("a later object: got %v", err)
	}
	select {
	case err := <-s.Failed():
		if !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Error("the owner was not told")
	}
	if _, err := s.Conversation(ctx, id(2)); !errors.Is(err, conversation.ErrNotFound) {
		t.Errorf("a part of the failed change stayed: %v", err)
	}
	if _, err := s.Conversation(ctx, id(1)); err != nil {
		t.Errorf("what was committed before cannot be read: %v", err)
	}
}

// A commit that the database refuses ends the store and acknowledges nothing.
func TestFailed_Commit(t *testing.T) {
	s := open(t, t.TempDir())
	ctx := t.Context()
	err := s.writer.do(ctx, func() error {
		// The rule is looked at in the commit.
		if _, err := s.writer.conn.ExecContext(background, "PRAGMA defer_foreign_keys = ON"); err != nil {
			return err
		}
		c := id(5)
		_, err := s.writer.run.insertMember.ExecContext(background, c[:], 0, c[:])
		return err
	})
	if err == nil {
		t.Fatal("a commit that failed was acknowledged")
	}
	select {
	case <-s.Failed():
	case <-time.After(5 * time.Second):
		t.Error("the owner was not told")
	}
	if err := s.Append(ctx, record(id(1), 0)); err == nil {
		t.Error("an append after the failure was taken")
	}
}

// A caller that goes away gets its own error; the change of its neighbour stands.
func TestAppend_CallerGoesAway(t *testing.T) {
	s := open(t, t.TempDir())
	hold, held := make(chan struct{}), make(chan struct{})
	go s.writer.do(context.Background(), func() error { close(held); <-hold; return nil })
	<-held
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error)
	go func() { gone <- s.Append(ctx, record(id(1), 0)) }()
	stays := make(chan error)
	go func() { stays <- s.Append(context.Background(), record(id(2), 0)) }()
	cancel()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	close(hold)
	must(t, <-stays)
	_, err := s.Conversation(t.Context(), id(2))
	must(t, err)
}

// appendUntilKilled appends from several goroutines and prints what was acknowledged.
func appendUntilKilled(folder string) {
	s, err := Open(context.Background(), folder, quiet)
	if err != nil {
		fmt.Println("open:", err)
		os.Exit(1)
	}
	for w := range uint64(8) {
		go func() {
			for seq := uint64(0); ; seq++ {
				if err := s.Append(context.Background(), record(id(w), seq)); err != nil {
					fmt.Println("append:", err)
					os.Exit(1)
				}
				fmt.Printf("%d %d\n", w, seq) // one write to a pipe is whole
			}
		}()
	}
	select {}
}

func TestAppend_SurvivesKill(t *testing.T) {
	folder := t.TempDir()
	for round := range 3 {
		folder := filepath.Join(folder, fmt.Sprint(round))
		must(t, os.Mkdir(folder, 0o700))
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), writerVariable+"="+folder)
		out, err := child.StdoutPipe()
		must(t, err)
		must(t, child.Start())
		var lines []string
		scanner := bufio.NewScanner(out)
		for scanner.Scan() {
			lines = append(lines, scanner.Text())
			if len(lines) == 300*(round+1) {
				must(t, child.Process.Kill())
				break
			}
		}
		for scanner.Scan() { // what was on its way
			lines = append(lines, scanner.Text())
		}
		if err := child.Wait(); err == nil {
			t.Fatal("the child ended by itself")
		}
		s := open(t, folder)
		for _, line := range lines {
			var w, seq uint64
			if _, err := fmt.Sscanf(line, "%d %d", &w, &seq); err != nil {
				t.Fatalf("the child said %q", line)
			}
			entries, err := s.Entries(t.Context(), id(w), seq, 1)
			must(t, err)
			want := []conversation.Entry{record(id(w), seq).Entry}
			if !slices.EqualFunc(entries, want, func(a, b conversation.Entry) bool { return reflect.DeepEqual(a, b) }) {
				t.Errorf("lost: writer %d, entry %d was acknowledged, the store has %v", w, seq, entries)
			}
		}
		if len(lines) < 300*(round+1) {
			t.Errorf("only %d appends before the end", len(lines))
		}
		t.Logf("%d acknowledged appends, none lost", len(lines))
		var check string
		must(t, s.readers.QueryRow("PRAGMA integrity_check").Scan(&check))
		equal(t, "integrity", check, "ok")
	}
}

func BenchmarkAppend(b *testing.B) {
	report := func(b *testing.B, s *Store, before int64) {
		b.ReportMetric(float64(s.writer.commits.Load()-before)/float64(b.N), "commits/msg")
	}
	b.Run("single", func(b *testing.B) {
		s := open(b, b.TempDir())
		seq := uint64(0)
		for b.Loop() {
			must(b, s.Append(b.Context(), record(id(1), seq)))
			seq++
		}
		report(b, s, 0)
	})
	b.Run("parallel", func(b *testing.B) {
		s := open(b, b.TempDir())
		var mu sync.Mutex
		next := uint64(0)
		b.SetParallelism(64)
		b.RunParallel(func(pb *testing.PB) {
			mu.Lock()
			conv := id(next)
			next++
			mu.Unlock()
			for seq := uint64(0); pb.Next(); seq++ {
				if err := s.Append(context.Background(), record(conv, seq)); err != nil {
					b.Error(err)
					return
				}
			}
		})
		report(b, s, 0)
	})
}

func TestConversations(t *testing.T) { storetest.Conversations(t, open) }

func TestDirectory(t *testing.T) { storetest.Directory(t, open) }

func TestSites(t *testing.T) { storetest.Sites(t, open) }

func TestIdentity(t *testing.T) { storetest.Identity(t, open) }

func TestKeyring(t *testing.T) { storetest.Keyring(t, open) }
