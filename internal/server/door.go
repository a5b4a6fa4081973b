package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/aldaba-chat/aldaba/internal/chat"
	"github.com/aldaba-chat/aldaba/internal/gateway"
	"github.com/aldaba-chat/aldaba/internal/gateway/demo"
	"github.com/aldaba-chat/aldaba/internal/site"
	"github.com/aldaba-chat/aldaba/web"
)

// doorSites answers the gateway's questions about the organisation's websites.
type doorSites struct{ *site.Sites }

func (d doorSites) Origins(id string) ([]string, bool) {
	one, err := d.Live(id)
	return one.Origins, err == nil
}

func (d doorSites) Official() (official []gateway.OfficialSite) {
	for _, one := range d.List() {
		if one.Enabled {
			official = append(official, gateway.OfficialSite{Name: one.Name, Origins: one.Origins})
		}
	}
	return official
}

// hostsOf names the hosts that the server answers to. Only the demonstration
// has the sample bank and the page of sample mails.
func hostsOf(o Options) (gateway.Hosts, error) {
	hosts := gateway.Hosts{Chat: o.Chat, Console: o.Console, Demo: o.Demo}
	if !o.Demo {
		return hosts, nil
	}
	loader, err := site.LoaderOf(o.Pages)
	if err != nil {
		return hosts, err
	}
	bank, err := demo.Bank(demo.BankOptions{Files: web.Demo(), Loader: demo.Loader(loader), Chat: hosts.ChatOrigin})
	if err != nil {
		return hosts, err
	}
	outbox, err := demo.NewOutbox(web.Demo())
	if err != nil {
		return hosts, err
	}
	hosts.Others = map[string]http.Handler{"bank": bank, "mail": outbox}
	return hosts, nil
}

// sampleSite is the site of the sample bank.
const sampleSite = "bank"

// ShowBank puts the chat on the sample bank's pages, which have another port
// when the usual one is busy. What somebody has changed about the site stays.
func (s *Server) ShowBank(ctx context.Context) error {
	origin := fmt.Sprintf("http://bank.aldaba.localhost:%d", s.Addr().Port)
	_, err := s.sites.Edit(ctx, sampleSite, func(one *site.Site) {
		if !slices.Contains(one.Origins, origin) {
			one.Origins = []string{origin}
		}
	})
	if e, ok := errors.AsType[*chat.Error](err); !ok || e.Kind != chat.KindNotFound {
		return err
	}
	one := site.Site{
		ID: sampleSite, Name: "Banco Ribera", Origins: []string{origin}, Languages: []string{"es", "en"},
		Contact: site.Contact{Text: "900 000 000", Href: "tel:900000000"}, Enabled: true,
	}
	for _, d := range s.directory.Trust().Policy().Departments {
		one.Departments = append(one.Departments, d.ID)
	}
	return s.sites.Add(ctx, one)
}
