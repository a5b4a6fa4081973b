package gateway

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/aldaba-chat/aldaba/internal/chat"
	"github.com/aldaba-chat/aldaba/internal/policy"
)

var (
	errNoDemo    = &chat.Error{Kind: chat.KindNotFound, Message: "this is no demonstration: sign in with your password"}
	errLinkSpent = &chat.Error{Kind: chat.KindDenied, Code: "link_spent", Message: "this link was used or has ended: `aldaba demo links` prints fresh ones"}
)

// demoOperations let the sample's people in by the links that the demonstration
// prints. Everywhere else there is no such request.
func (s *staff) demoOperations() {
	type link struct {
		Body struct {
			Token string `json:"token" maxLength:"128" doc:"of a link, good once"`
		}
	}
	register(s, operation{method: http.MethodPost, path: "/api/demo", action: policy.SignIn, summary: "Sign in to the demonstration by a link"},
		func(ctx context.Context, in *link) (*struct{}, error) {
			c := callerOf(ctx)
			login, ok := s.demoLogin(c)
			if !ok {
				return nil, errNoDemo
			}
			if !s.Admits(login, in.Body.Token) {
				return nil, errLinkSpent
			}
			who, err := s.Staff.Find(ctx, login)
			if err != nil {
				return nil, err
			}
			token, err := s.Staff.Admit(ctx, who.ID, c.address)
			if err != nil {
				return nil, err
			}
			c.keep(token)
			return nil, nil
		})
}

// demoLogin is whose name the request's host has, when it comes from this
// machine to the demonstration.
func (s *staff) demoLogin(c *caller) (login string, ok bool) {
	ip := net.ParseIP(c.address)
	if s.Admits == nil || !s.Hosts.Demo || ip == nil || !ip.IsLoopback() {
		return "", false
	}
	origin, err := url.Parse(c.origin)
	if err != nil {
		return "", false
	}
	return strings.CutSuffix(strings.ToLower(origin.Hostname()), localDomain)
}
