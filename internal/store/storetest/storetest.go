// Package storetest is the contract of the stores: what a package of a lower
// floor asks of its Store, every driver shows by running the suite of that name.
//
//	func TestSites(t *testing.T) { storetest.Sites(t, open) }
//
// A suite opens stores in folders of its own, closes some and opens them again:
// what was answered must be there.
package storetest

import (
	"crypto/sha256"
	"encoding/binary"
	"io"
	"reflect"
	"testing"
)

// Open opens a driver's store in a folder, and closes it when the test ends if
// nobody has.
type Open[S io.Closer] func(t testing.TB, folder string) S

// id gives a different id of 32 bytes for each list of numbers.
func id(numbers ...uint64) [32]byte {
	var b []byte
	for _, n := range numbers {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return sha256.Sum256(b)
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
