package subjects_test

import (
	"testing"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
)

func TestMain(m *testing.M) { embeddedtest.Main(m) }
