// Package site keeps the websites that the organisation's chat stands on, and
// what an administrator sets about departments beside the signed policy.
//
// Everything is small, so all of it is in memory: reads never wait for the disk,
// and a change is on the disk before anybody reads it. Who may change a site is
// the gateway's question; what a site may be is checked here, whoever asks.
package site

import (
	"context"
	"errors"
)

// ErrTaken and ErrNotFound are what a [Store] answers instead of a result.
var (
	ErrTaken    = errors.New("a site of this id is already in the store")
	ErrNotFound = errors.New("there is no such site in the store")
)

// Store keeps sites and caps. Every method is safe for concurrent use and
// returns after the commit.
type Store interface {
	// Sites gives all sites in the order of their ids.
	Sites(ctx context.Context) ([]Site, error)
	// AddSite keeps a new site; ErrTaken when there is one of its id.
	AddSite(ctx context.Context, s Site) error
	// EditSite keeps everything of a site but when it was seen; ErrNotFound.
	EditSite(ctx context.Context, s Site) error
	// RemoveSite forgets a site; ErrNotFound.
	RemoveSite(ctx context.Context, id string) error
	// SawSite keeps when and on which origin a site was last opened; ErrNotFound.
	SawSite(ctx context.Context, id string, seen Seen) error
	// Caps gives what SetCap has kept.
	Caps(ctx context.Context) (map[[16]byte]int, error)
	// SetCap keeps how many open conversations one person may have in a department.
	SetCap(ctx context.Context, dept [16]byte, open int) error
}

// Site is one website of the organisation. Whoever is given one leaves its
// slices and maps as they are.
type Site struct {
	ID          string     `json:"id"` // a short name in addresses, as in "bank"
	Name        string     `json:"name"`
	Origins     []string   `json:"origins"`   // whose pages may show the chat; none: only the chat's own page
	Languages   []string   `json:"languages"` // the first is the site's own
	Departments [][16]byte `json:"departments"`
	Fields      []Field    `json:"fields"` // asked before a conversation begins
	Contact     Contact    `json:"contact"`
	Enabled     bool       `json:"enabled"`
	Seen        Seen       `json:"-"`
}

// Field is one question of the form before a conversation.
type Field struct {
	Name     string            `json:"name"`
	Kind     string            `json:"kind"`  // one of Kinds
	Label    map[string]string `json:"label"` // by language
	Required bool              `json:"required"`
	Choices  []string          `json:"choices,omitempty"` // of the kind "choice" only
}

// Contact is another way to reach the company, for a visitor whose browser
// cannot run the chat.
type Contact struct {
	Text string `json:"text,omitempty"`
	Href string `json:"href,omitempty"`
}

// Seen says when and on which of its origins a site was last opened; the zero
// value is never.
type Seen struct {
	At     int64 // milliseconds since 1970
	Origin string
}
