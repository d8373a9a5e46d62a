// A server of MongoDB's wire protocol for the tests: FerretDB with its SQLite backend.
//
// The package ferretdb does not offer SCRAM, so the handler is made here. Go lets a module use the internal packages
// of another one whose path its own path begins with.
package main

import (
	"context"
	"flag"
	"log"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/FerretDB/FerretDB/internal/clientconn"
	"github.com/FerretDB/FerretDB/internal/clientconn/connmetrics"
	"github.com/FerretDB/FerretDB/internal/handler/registry"
	"github.com/FerretDB/FerretDB/internal/util/password"
	"github.com/FerretDB/FerretDB/internal/util/state"
)

func main() {
	listen := flag.String("listen", "", "address, such as 127.0.0.1:27017")
	data := flag.String("data", "", "directory of the databases, with a slash at its end")
	cert := flag.String("cert", "", "PEM file of the certificate: TLS only")
	key := flag.String("key", "", "PEM file of the certificate's key")
	root := flag.String("root", "", "user of admin, whose password is in $ROOT_PASSWORD: no one is let in without SCRAM")
	flag.Parse()

	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	provider, err := state.NewProvider("")
	check(err)
	check(provider.Update(func(s *state.State) {
		s.DisableTelemetry()
		s.TelemetryLocked = true
	}))
	metrics := connmetrics.NewListenerMetrics()
	options := &registry.NewHandlerOpts{
		Logger:        logger,
		ConnMetrics:   metrics.ConnMetrics,
		StateProvider: provider,
		TCPHost:       *listen,
		SQLiteURL:     "file:" + *data,
		TestOpts:      registry.TestOpts{CappedCleanupPercentage: 10, BatchSize: 100},
	}
	if *root != "" {
		options.EnableNewAuth = true
		options.SetupDatabase = "admin"
		options.SetupUsername = *root
		options.SetupPassword = password.WrapPassword(os.Getenv("ROOT_PASSWORD"))
	}
	handler, closeBackend, err := registry.NewHandler("sqlite", options)
	check(err)
	defer closeBackend()

	listener := &clientconn.NewListenerOpts{
		Mode: clientconn.NormalMode, Metrics: metrics, Handler: handler, Logger: logger,
	}
	if *cert == "" {
		listener.TCP = *listen
	} else {
		listener.TLS, listener.TLSCertFile, listener.TLSKeyFile = *listen, *cert, *key
	}
	running, err := clientconn.Listen(listener)
	check(err)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	running.Run(ctx)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
