package main

import (
	"context"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/aldaba-chat/aldaba/internal/authority"
	"github.com/aldaba-chat/aldaba/internal/seal"
	"github.com/aldaba-chat/aldaba/internal/server"
)

func TestUser_Scripts(t *testing.T) { besideAServer(t, "testdata/user") }

func TestSite_Scripts(t *testing.T) { besideAServer(t, "testdata/site") }

// besideAServer runs scripts that can start and stop a server on their folder.
func besideAServer(t *testing.T, folder string) {
	t.Helper()
	type key struct{}
	testscript.Run(t, testscript.Params{
		Dir:                folder,
		RequireUniqueNames: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("ALDABA_FOLDER", filepath.Join(e.WorkDir, "data"))
			e.Values[key{}] = new(*server.Server)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			// serve runs a server on the data folder, halt stops it.
			"serve": func(ts *testscript.TestScript, _ bool, _ []string) {
				s, err := server.Start(context.Background(), server.Options{
					Address: "127.0.0.1:0", Folder: ts.MkAbs("data"), Version: "test",
					Pages: fstest.MapFS{"loader/v1.js": {Data: []byte("loader")}},
				})
				ts.Check(err)
				ts.Defer(func() { _ = s.Stop(context.Background()) })
				*ts.Value(key{}).(**server.Server) = s
			},
			// organisation gives the server's company two departments.
			"organisation": func(ts *testscript.TestScript, _ bool, _ []string) {
				exchange := (*ts.Value(key{}).(**server.Server)).Office()
				status, err := exchange.StatusKey(context.Background())
				ts.Check(err)
				office, err := authority.New(authority.Options{
					Departments: []authority.Department{{ID: [16]byte{1}, Name: "Atención", Mode: seal.Sealed}, {ID: [16]byte{2}, Name: "Ventas", Mode: seal.Sealed}},
					StatusKey:   status, Custody: seal.Company, Now: milliseconds(time.Now()),
				})
				ts.Check(err)
				_, err = office.Serve(context.Background(), exchange, milliseconds(time.Now()))
				ts.Check(err)
			},
			"halt": func(ts *testscript.TestScript, _ bool, _ []string) {
				ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
				defer cancel()
				ts.Check((*ts.Value(key{}).(**server.Server)).Stop(ctx))
			},
		},
	})
}
