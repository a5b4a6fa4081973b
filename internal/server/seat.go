package server

import (
	"context"

	"github.com/aldaba-chat/aldaba/internal/assist"
	"github.com/aldaba-chat/aldaba/internal/chat"
	"github.com/aldaba-chat/aldaba/internal/conversation"
	"github.com/aldaba-chat/aldaba/internal/fanout"
	"github.com/aldaba-chat/aldaba/internal/policy"
)

// takeSeat publishes the key objects of the server's certificates that have
// none yet, so that visitors of assisted departments find it.
func (s *Server) takeSeat(ctx context.Context) error {
	for _, p := range s.member.Places(s.directory.Trust()) {
		if s.directory.Trust().KeyObject(p.KeyObject.Hash()) != nil {
			continue
		}
		if err := s.directory.Publish(ctx, p.KeyObject.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

// ears tell whoever is connected, and the server's own seat, what was committed.
type ears struct {
	hub  *fanout.Hub
	desk *assist.Desk
}

func (e ears) Publish(conv [32]byte, seq uint64, object []byte) {
	e.hub.Publish(conv, seq, object)
	e.desk.Heard(conv)
}

func (e ears) Moved(dept [16]byte, conv [32]byte, seq uint64) {
	e.hub.Moved(dept, conv, seq)
	e.hub.Look(conv) // the roster may have changed
	e.desk.Heard(conv)
}

// entriesOf gives the server's seat what any member gets.
type entriesOf struct{ conversations **conversation.Conversations }

func (e entriesOf) Entries(ctx context.Context, member, conv [32]byte, from uint64) (entries, extras [][]byte, err error) {
	page, err := (*e.conversations).Entries(ctx, policy.Actor{Role: chat.RoleSystem, Key: member}, conv, from)
	return page.Entries, page.Extras, err
}
