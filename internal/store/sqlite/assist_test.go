package sqlite

import (
	"bytes"
	"math"
	"slices"
	"testing"
)

// How far the server's seat has read only grows, and who is behind is a member.
func TestStore_HowFarTheServerHasRead(t *testing.T) {
	s := open(t, t.TempDir())
	seat := id(7)
	var convs [][32]byte
	for n := range uint64(5) {
		first, second := record(id(n), 0), record(id(n), 1)
		second.Members = [][32]byte{id(n), seat}
		if n == 4 {
			second.Members = second.Members[:1] // the server is not there
		} else {
			convs = append(convs, id(n))
		}
		must(t, s.Append(t.Context(), first, second))
	}
	slices.SortFunc(convs, func(a, b [32]byte) int { return bytes.Compare(a[:], b[:]) })
	behind := func(after [32]byte, limit int, want ...[32]byte) {
		t.Helper()
		got, err := s.Behind(t.Context(), seat, after, limit)
		must(t, err)
		if !slices.Equal(got, want) {
			t.Errorf("got %x, not %x", got, want)
		}
	}
	behind([32]byte{}, 10, convs...)
	behind([32]byte{}, 2, convs[:2]...)
	behind(convs[1], 10, convs[2:]...)
	for _, c := range []struct{ keep, want uint64 }{{1, 1}, {2, 2}, {1, 2}} {
		must(t, s.KeepNext(t.Context(), convs[0], c.keep))
		if next, err := s.Next(t.Context(), convs[0]); err != nil || next != c.want {
			t.Errorf("after keeping %d: %d, %v", c.keep, next, err)
		}
	}
	behind([32]byte{}, 10, convs[1:]...)
	if next, err := s.Next(t.Context(), id(4)); err != nil || next != 0 {
		t.Errorf("what was not read: %d, %v", next, err)
	}
	must(t, s.Append(t.Context(), record(convs[0], 2)))
	if got, err := s.Behind(t.Context(), convs[0], [32]byte{}, 10); err != nil || !slices.Equal(got, convs[:1]) {
		t.Errorf("got %x, %v", got, err)
	}
	if err := s.KeepNext(t.Context(), convs[0], math.MaxUint64); err == nil {
		t.Error("a number that SQLite has not is taken")
	}
	if err := s.KeepNext(t.Context(), id(99), 1); err == nil {
		t.Error("a conversation that is not there is taken")
	}
}
