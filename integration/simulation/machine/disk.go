package machine

import (
	"cmp"
	"io/fs"
	"slices"

	"github.com/tetratelabs/wazero/experimental/sys"
	wasys "github.com/tetratelabs/wazero/sys"
)

// disk is a directory of the host, without what differs from host to host and from run to
// run: times, numbers of inodes and devices, sizes of directories, the order of entries.
type disk struct{ sys.FS }

func (d *disk) OpenFile(path string, flag sys.Oflag, perm fs.FileMode) (sys.File, sys.Errno) {
	f, errno := d.FS.OpenFile(path, flag, perm)
	if errno != 0 {
		return nil, errno
	}
	return &file{File: f}, 0
}

func (d *disk) Stat(path string) (wasys.Stat_t, sys.Errno)  { return plain(d.FS.Stat(path)) }
func (d *disk) Lstat(path string) (wasys.Stat_t, sys.Errno) { return plain(d.FS.Lstat(path)) }

func plain(st wasys.Stat_t, errno sys.Errno) (wasys.Stat_t, sys.Errno) {
	if st.Mode.IsDir() {
		st.Size = 0
	}
	return wasys.Stat_t{Mode: st.Mode, Size: st.Size, Nlink: 1, Atim: epoch, Mtim: epoch, Ctim: epoch}, errno
}

// file is an open file or directory.
type file struct {
	sys.File
	entries []sys.Dirent // of a directory, those not read yet
}

func (f *file) Stat() (wasys.Stat_t, sys.Errno) { return plain(f.File.Stat()) }
func (f *file) Dev() (uint64, sys.Errno)        { return 0, 0 }
func (f *file) Ino() (wasys.Inode, sys.Errno)   { return 0, 0 }

// Readdir reads the whole directory to sort it. If there is something to read later, the
// program has gone back to the beginning.
func (f *file) Readdir(n int) ([]sys.Dirent, sys.Errno) {
	all, errno := f.File.Readdir(-1)
	if errno != 0 {
		return nil, errno
	}
	if len(all) > 0 {
		for i := range all {
			all[i].Ino = 0
		}
		slices.SortFunc(all, func(a, b sys.Dirent) int { return cmp.Compare(a.Name, b.Name) })
		f.entries = all
	}
	if n < 0 {
		n = len(f.entries)
	}
	some := f.entries[:min(n, len(f.entries))]
	f.entries = f.entries[len(some):]
	return some, 0
}
