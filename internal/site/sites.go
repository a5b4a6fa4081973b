package site

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aldaba-chat/aldaba/internal/chat"
)

// seenEvery is how often it is written that a site is still opened.
const seenEvery = time.Minute

// Options are what sites need; all are required.
type Options struct {
	Store Store
	// Chat gives the chat's own origin, which no site may have.
	Chat func() string
	// Departments gives those of the organisation's policy.
	Departments func() [][16]byte
	Now         func() time.Time
}

// Sites answers what a site is. It is safe for concurrent use.
type Sites struct {
	Options
	mu   sync.Mutex // one change at a time
	all  atomic.Pointer[map[string]Site]
	caps atomic.Pointer[map[[16]byte]int]
}

// Open reads what the store has.
func Open(ctx context.Context, o Options) (*Sites, error) {
	s := &Sites{Options: o}
	sites, err := o.Store.Sites(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the sites: %w", err)
	}
	all := make(map[string]Site, len(sites))
	for _, one := range sites {
		all[one.ID] = one
	}
	caps, err := o.Store.Caps(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the departments' caps: %w", err)
	}
	s.all.Store(&all)
	s.caps.Store(&caps)
	return s, nil
}

var errUnknown = &chat.Error{Kind: chat.KindNotFound, Code: "unknown_site", Field: "site", Message: "there is no such site"}

// List gives all sites in the order of their ids.
func (s *Sites) List() []Site {
	all := slices.Collect(maps.Values(*s.all.Load()))
	slices.SortFunc(all, func(a, b Site) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// Get gives one site, whether it is enabled or not.
func (s *Sites) Get(id string) (Site, error) {
	if one, ok := (*s.all.Load())[id]; ok {
		return one, nil
	}
	return Site{}, errUnknown
}

// Live gives a site for a visitor: one that is switched off, and one that does
// not exist, look the same.
func (s *Sites) Live(id string) (Site, error) {
	one, err := s.Get(id)
	if err == nil && !one.Enabled {
		return Site{}, errUnknown
	}
	return one, err
}

// Reaches reports whether visitors of a site that is open may write to a department.
func (s *Sites) Reaches(id string, dept [16]byte) error {
	one, err := s.Live(id)
	if err == nil && !slices.Contains(one.Departments, dept) {
		return chat.Invalid("dept", "this site does not lead to that department")
	}
	return err
}

// Add keeps a new site.
func (s *Sites) Add(ctx context.Context, one Site) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	one = one.clone()
	one.Seen = Seen{}
	if err := one.check(s.Chat(), s.Departments()); err != nil {
		return err
	}
	if len(*s.all.Load()) >= mostSites {
		return &chat.Error{Kind: chat.KindConflict, Limit: mostSites, Message: "there are as many sites as there can be: remove one"}
	}
	if err := s.Store.AddSite(ctx, one); err != nil {
		if errors.Is(err, ErrTaken) {
			return &chat.Error{Kind: chat.KindConflict, Field: "id", Message: "another site has this id: choose another"}
		}
		return err
	}
	s.put(one)
	return nil
}

// Edit changes a site; its id stays.
func (s *Sites) Edit(ctx context.Context, id string, change func(*Site)) (Site, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before, err := s.Get(id)
	if err != nil {
		return before, err
	}
	one := before.clone()
	change(&one)
	one.ID, one.Seen = before.ID, before.Seen
	if err := one.check(s.Chat(), s.Departments()); err != nil {
		return before, err
	}
	if err := s.Store.EditSite(ctx, one); err != nil {
		return before, unknown(err)
	}
	s.put(one)
	return one, nil
}

// Remove forgets a site. Conversations that came from it stay.
func (s *Sites) Remove(ctx context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.Get(id); err != nil {
		return err
	}
	if err := s.Store.RemoveSite(ctx, id); err != nil {
		return unknown(err)
	}
	all := maps.Clone(*s.all.Load())
	delete(all, id)
	s.all.Store(&all)
	return nil
}

// Saw keeps that a site was opened on a page of one of its origins now. Of
// other origins, and of the same one within a minute, nothing is kept.
func (s *Sites) Saw(ctx context.Context, id, origin string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	one, err := s.Get(id)
	if err != nil {
		return err
	}
	seen := Seen{At: s.Now().UnixMilli(), Origin: origin}
	if !slices.Contains(one.Origins, origin) ||
		one.Seen.Origin == origin && seen.At-one.Seen.At < seenEvery.Milliseconds() {
		return nil
	}
	if err := s.Store.SawSite(ctx, id, seen); err != nil {
		return unknown(err)
	}
	one.Seen = seen
	s.put(one)
	return nil
}

func (s *Sites) put(one Site) {
	all := maps.Clone(*s.all.Load())
	all[one.ID] = one
	s.all.Store(&all)
}

func unknown(err error) error {
	if errors.Is(err, ErrNotFound) {
		return errUnknown
	}
	return err
}

// Cap is how many open conversations one person may have in a department.
func (s *Sites) Cap(dept [16]byte) int {
	if open, ok := (*s.caps.Load())[dept]; ok {
		return open
	}
	return DefaultCap
}

// CheckCap says whether a number can be a cap.
func CheckCap(open int) error {
	if open < 1 || open > MostCap {
		return tooMany("cap", MostCap, fmt.Sprintf("a cap is 1 to %d conversations", MostCap))
	}
	return nil
}

// SetCap sets a department's cap; conversations that are open stay.
func (s *Sites) SetCap(ctx context.Context, dept [16]byte, open int) error {
	if err := CheckCap(open); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.Departments(), dept) {
		return &chat.Error{Kind: chat.KindNotFound, Field: "department", Message: "there is no such department"}
	}
	if err := s.Store.SetCap(ctx, dept, open); err != nil {
		return err
	}
	caps := maps.Clone(*s.caps.Load())
	caps[dept] = open
	s.caps.Store(&caps)
	return nil
}

// clone shares nothing with the original.
func (s *Site) clone() Site {
	c := *s
	c.Origins = slices.Clone(s.Origins)
	c.Languages = slices.Clone(s.Languages)
	c.Departments = slices.Clone(s.Departments)
	c.Fields = slices.Clone(s.Fields)
	for i := range c.Fields {
		c.Fields[i].Label = maps.Clone(c.Fields[i].Label)
		c.Fields[i].Choices = slices.Clone(c.Fields[i].Choices)
	}
	return c
}
