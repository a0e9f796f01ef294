// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A mapped file in Vala's own forms: foreach, yield, arrays that are the memory.

const uint TIMEOUT = 60000;

delegate void Promise (string path) throws Error;

void add (string name, Promise promise) {
    Test.add_data_func (name, () => {
        try {
            var folder = DirUtils.make_tmp ("mmio-XXXXXX");
            var path = Path.build_filename (folder, "file");
            try {
                promise (path);
            } finally {
                FileUtils.unlink (path);
                DirUtils.remove (folder);
            }
        } catch (Error error) {
            Test.message ("%s", error.message);
            Test.fail ();
        }
    });
}

void test_foreach (string path) throws Error {
    var file = new Mmio.File.create (path, 10000);
    size_t[] lengths = {};
    file.fill (0, 10000, 7);
    foreach (unowned var chunk in file.chunks (4096)) {
        lengths += chunk.length;
        assert_cmpint (chunk[chunk.length - 1], EQ, 7);
    }
    assert_cmpint (lengths.length, EQ, 3);
    assert_cmpint ((int) lengths[2], EQ, 10000 - 2 * 4096);

    // Chunks are the memory itself.
    var chunks = file.chunks ();
    unowned uint8[]? first = chunks.next_value ();
    file.write (0, "x".data);
    assert_cmpint (first[0], EQ, 'x');

    foreach (unowned var chunk in new Mmio.File.create (path, 0, REPLACE).chunks ())
        assert_cmpint (chunk.length, EQ, -1);
}

void test_find_and_numbers (string path) throws Error {
    var file = new Mmio.File.create (path, 100);
    file.write (40, "needle".data);
    assert_cmpint ((int) file.find ("needle".data), EQ, 40);
    assert_cmpint ((int) file.find ("needle".data, 41), EQ, -1);
    assert_cmpint ((int) file.find_last ("e".data, 0, 45), EQ, 42);
    file.set_uint32 (0, 0x01020304, BIG_ENDIAN);
    assert_cmpint (file.get_uint8 (3), EQ, 4);
    assert_true (file.get_uint32 (0, LITTLE_ENDIAN) == 0x04030201);
    file.set_int64 (8, int64.MIN);
    assert_true (file.get_int64 (8) == int64.MIN);
    file.set_double (16, 0.1);
    assert_true (file.get_double (16) == 0.1);
    try {
        file.get_uint16 (99);
        assert_not_reached ();
    } catch (Mmio.Error.OUT_OF_BOUNDS error) {
        assert_true (path in error.message);
    }
}

void test_atomics (string path) throws Error {
    var file = new Mmio.File.create (path, 16);
    var counter = file.get_atomic_u64 (8, 1);
    uint64 previous;
    assert_true (counter.add (0, 5) == 0);
    assert_true (counter.compare_exchange (0, 5, uint64.MAX, out previous));
    assert_true (counter.load (0) == uint64.MAX);
    assert_false (counter.compare_and_store (0, 5, 6));
    assert_true (counter.compare_and_store (0, uint64.MAX, uint64.MAX));
    assert_cmpint ((int) counter.wake (0), EQ, 0);
    try {
        file.get_atomic_u32 (2, 1);
        assert_not_reached ();
    } catch (Mmio.Error.MISALIGNED error) {
    }
    try {
        counter.wait (0, uint64.MAX, 1);
        assert_not_reached ();
    } catch (IOError.TIMED_OUT error) {
    }
}

async void write_and_read (string path) throws Error {
    var file = yield Mmio.File.open_or_create_async (path, 10);
    yield file.write_async (0, new Bytes ("hello".data));
    yield file.flush_async ();
    var bytes = yield file.read_async (0, 5);
    assert_cmpint (Memory.cmp (bytes.get_data (), "hello", 5), EQ, 0);
    assert_true ((yield file.find_async (new Bytes ("l".data))) == 2);
    yield file.fill_async (5, 2, '!');
    yield file.move_async (7, 5, 2);
    assert_true ((yield file.find_async (new Bytes ("!!!!".data))) == 5);
    yield file.resize_async (5);
    assert_cmpint ((int) file.size, EQ, 5);
    yield file.close_async ();
    try {
        yield file.flush_async ();
        assert_not_reached ();
    } catch (Mmio.Error.CLOSED error) {
    }
}

void test_async (string path) throws Error {
    var loop = new MainLoop ();
    Error? failure = null;
    var done = false;
    var timer = Timeout.add (TIMEOUT, () => {
        loop.quit ();
        return Source.CONTINUE;
    });
    write_and_read.begin (path, (_, result) => {
        try {
            write_and_read.end (result);
        } catch (Error error) {
            failure = error;
        }
        done = true;
        loop.quit ();
    });
    loop.run ();
    Source.remove (timer);
    assert_true (done);
    if (failure != null)
        throw failure;
}

int main (string[] args) {
    Test.init (ref args);
    add ("/vala/idioms/foreach-walks-in-chunks", test_foreach);
    add ("/vala/idioms/find-and-numbers", test_find_and_numbers);
    add ("/vala/idioms/atomics", test_atomics);
    add ("/vala/idioms/yield", test_async);
    return Test.run ();
}
