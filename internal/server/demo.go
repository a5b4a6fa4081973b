package server

import (
	"context"

	"github.com/aldaba-chat/aldaba/internal/identity"
)

// Populate gives a sample organisation its name and its people, those who are
// not there yet: the first is its administrator. Their links are not used; the
// demonstration lets them in by its own.
func (s *Server) Populate(ctx context.Context, organisation string, people []identity.Profile) error {
	there, err := s.staff.People(ctx)
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for _, p := range there {
		known[p.Login] = true
	}
	for i, p := range people {
		switch {
		case known[p.Login]:
			continue
		case i == 0:
			_, _, err = s.staff.Found(ctx, organisation, p)
		default:
			_, _, err = s.staff.Invite(ctx, p)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
