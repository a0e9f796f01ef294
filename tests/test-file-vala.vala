// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A mapped file from Vala: each call with the types that the binding gives it.

const uint TIMEOUT = 60000;

string folder;
string path;

void set_up () {
    try {
        folder = DirUtils.make_tmp ("mmio-XXXXXX");
        path = Path.build_filename (folder, "file");
        FileUtils.set_contents (path, string.nfill (200, 'x'));
    } catch (Error error) {
        Test.message ("%s", error.message);
        Test.fail ();
    }
}

void tear_down () {
    try {
        var dir = Dir.open (folder);
        for (unowned string? name = dir.read_name (); name != null; name = dir.read_name ())
            FileUtils.unlink (Path.build_filename (folder, name));
        DirUtils.remove (folder);
    } catch (Error error) {
        Test.message ("%s", error.message);
        Test.fail ();
    }
}

string content () throws Error {
    string text;
    FileUtils.get_contents (path, out text);
    return text;
}

void assert_cmpmem (uint8[]? actual, uint8[] expected) {
    assert_cmpint (actual.length, EQ, expected.length);
    assert_cmpint (Memory.cmp (actual, expected, expected.length), EQ, 0);
}

delegate void Promise () throws Error;

void expect_error (Mmio.Error expected, Promise promise) {
    try {
        promise ();
        Test.message ("no error");
        Test.fail ();
    } catch (Error error) {
        assert_cmpstr (error.domain.to_string (), EQ, Mmio.Error.quark ().to_string ());
        assert_cmpint (error.code, EQ, expected.code);
    }
}

void test_open () throws Error {
    assert_cmpuint ((uint) new Mmio.File.open (path, READ_ONLY).size, EQ, 200);
    assert_cmpuint ((uint) new Mmio.File.open_location (File.new_for_path (path), READ_WRITE).get_size (), EQ, 200);
    assert_cmpuint ((uint) new Mmio.File.open_or_create (path, 1).size, EQ, 200);
    var file = new Mmio.File.create (path + "2", 7, DURABLE | PREALLOCATE);
    assert_cmpuint ((uint) file.size, EQ, 7);
    assert_cmpstr (file.path, EQ, path + "2");
    assert_cmpuint ((uint) new Mmio.File.for_fd (file.fd, READ_WRITE).size, EQ, 7);
    assert_null (new Mmio.File.for_fd (file.fd, READ_WRITE).path);
    try {
        new Mmio.File.open (path + "3", READ_ONLY);
        assert_not_reached ();
    } catch (IOError.NOT_FOUND error) {
        assert_true (path in error.message);
    }
}

void test_read_write () throws Error {
    var file = new Mmio.File.open (path, READ_WRITE);
    var buffer = new uint8[8];
    file.write (10, "hello".data);
    file.write_bytes (15, new Bytes ("!".data));
    assert_true (file.read (10, buffer[0:6]));
    assert_cmpstr ((string) buffer, EQ, "hello!");
    assert_cmpint (file.read_bytes (0, 200).length, EQ, 200);
    file.flush ();
    file.resize (300);
    assert_cmpuint ((uint) file.size, EQ, 300);
    file.resize (16);
    file.close ();
    assert_true (file.is_closed ());
    assert_cmpstr (content (), EQ, "xxxxxxxxxxhello!");
}

void test_zero_copy () throws Error {
    var file = new Mmio.File.open (path, READ_WRITE);
    var other = new Mmio.File.open (path, READ_ONLY);
    var writable = file.get_writable_view (10, 5);
    var view = other.get_view (8, 9);
    unowned uint8[] data = writable.get_data ();
    unowned uint8[] seen = view.get_data ();
    assert_cmpint (data.length, EQ, 5);
    for (int i = 0; i < data.length; i++)
        data[i] = "fresh"[i];
    assert_cmpmem (seen, "xxfreshxx".data);
    assert_cmpmem (other.get_bytes (10, 5).get_data (), "fresh".data);
    assert_cmpint (Memory.cmp (file.peek (10, 5), "fresh", 5), EQ, 0);
    expect_error (new Mmio.Error.BUSY (""), () => file.resize (14));
    writable.release ();
    assert_null (writable.get_data ());
    file.resize (14);
    view.release ();
    other.refresh ();
    assert_cmpuint ((uint) other.size, EQ, 14);
}

void test_errors () throws Error {
    var file = new Mmio.File.open (path, READ_ONLY);
    var buffer = new uint8[8];
    expect_error (new Mmio.Error.OUT_OF_BOUNDS (""), () => file.read (193, buffer));
    expect_error (new Mmio.Error.OUT_OF_BOUNDS (""), () => file.read (uint64.MAX, buffer));
    expect_error (new Mmio.Error.OUT_OF_BOUNDS (""), () => file.get_view (0, 201));
    expect_error (new Mmio.Error.WRONG_MODE (""), () => file.write (0, buffer));
    expect_error (new Mmio.Error.WRONG_MODE (""), () => file.get_writable_view (0, 1));
    file.close ();
    expect_error (new Mmio.Error.CLOSED (""), () => file.read (0, buffer));
    expect_error (new Mmio.Error.CLOSED (""), () => file.watch (NONE));
    try {
        file.get_view (0, 1);
        assert_not_reached ();
    } catch (Mmio.Error.CLOSED error) {
        assert_true (path in error.message);
    }
}

void test_truncation () throws Error {
    FileUtils.set_contents (path, string.nfill (16384, 'x'));
    var file = new Mmio.File.open (path, READ_ONLY);
    var view = file.get_view (0, 16384);
    var buffer = new uint8[10];
    new Subprocess (NONE, "truncate", "-s", "100", path).wait_check ();
    expect_error (new Mmio.Error.TRUNCATED (""), () => file.read (16000, buffer));
    unowned uint8[] data = view.get_data ();
    assert_cmpint (data[99], EQ, 'x');
    assert_cmpint (data[16383], EQ, 0);
    expect_error (new Mmio.Error.TRUNCATED (""), () => view.check ());
    file.refresh ();
    assert_cmpuint ((uint) file.size, EQ, 100);
}

void test_copy_on_write () throws Error {
    var file = new Mmio.File.open (path, COPY_ON_WRITE);
    file.write (0, "own".data);
    assert_cmpmem (file.read_bytes (0, 3).get_data (), "own".data);
    assert_cmpstr (content (), EQ, string.nfill (200, 'x'));
}

void test_lifetime () throws Error {
    var file = new Mmio.File.open (path, READ_WRITE);
    var gone = false;
    file.weak_ref (() => gone = true);
    assert_cmpuint (file.ref_count, EQ, 1);
    var view = file.get_view (100, 50);
    var part = view.sub (10, 10);
    var bytes = file.get_bytes (0, 100);
    var counter = file.get_atomic_u32 (0);
    var chunks = file.chunks (64);
    unowned uint8[]? chunk = chunks.next_value ();
    assert_cmpint (chunk.length, EQ, 64);
    file = null;
    assert_false (gone);
    assert_cmpmem (part.get_data (), "xxxxxxxxxx".data);
    assert_true (view.get_file ().path == path);
    view = null;
    bytes = null;
    counter = null;
    chunks = null;
    assert_false (gone);
    assert_cmpint (part.get_data ()[9], EQ, 'x');
    part = null;
    assert_true (gone);

    // Handlers hold nothing that holds the file.
    var watched = new Mmio.File.open (path, READ_ONLY);
    watched.weak_ref (() => gone = false);
    watched.changed.connect ((file, offset, length) => file.unwatch ());
    watched.watch (NONE);
    watched = null;
    var late = false;
    var timer = Timeout.add (TIMEOUT, () => {
        late = true;
        return Source.CONTINUE;
    });
    while (gone && !late)
        MainContext.default ().iteration (false);
    Source.remove (timer);
    assert_false (gone);
}

void test_fault () throws Error {
    FileUtils.set_contents (path, string.nfill (16384, 'x'));
    var file = new Mmio.File.open (path, READ_ONLY);
    var view = file.get_view (0, 16384);
    uint64 from = 0, size = 0;
    file.fault.connect ((offset, length) => {
        from = offset;
        size = length;
    });
    new Subprocess (NONE, "truncate", "-s", "4096", path).wait_check ();
    var late = false;
    var timer = Timeout.add (TIMEOUT, () => {
        late = true;
        return Source.CONTINUE;
    });
    assert_cmpint (view.get_data ()[9000], EQ, 0);
    while (size == 0 && !late)
        MainContext.default ().iteration (false);
    Source.remove (timer);
    assert_true (size > 0 && from >= 4096 && from + size <= 16384);
    expect_error (new Mmio.Error.TRUNCATED (""), () => view.check ());
    // Its pages again, and none of them was a lie.
    new Subprocess (NONE, "truncate", "-s", "16384", path).wait_check ();
    file.refresh ();
    view.check ();
    foreach (unowned var chunk in file.chunks (5000))
        assert_cmpint (chunk.length, LE, 5000);
    var chunks = file.chunks ();
    new Subprocess (NONE, "truncate", "-s", "100", path).wait_check ();
    var zeros = 0;
    for (unowned uint8[]? chunk = chunks.next_value (); chunk != null; chunk = chunks.next_value ())
        zeros += chunk[chunk.length - 1] == 0 ? 1 : 0;
    assert_cmpint (zeros, EQ, 4);
    expect_error (new Mmio.Error.TRUNCATED (""), () => chunks.check ());
}

int count_descriptors () throws Error {
    var dir = Dir.open ("/proc/self/fd");
    var count = 0;
    while (dir.read_name () != null)
        count++;
    return count;
}

void test_dropped () throws Error {
    string maps;
    var first = new Mmio.File.open (path, READ_ONLY);
    first.watch (NONE);
    first = null;
    var before = count_descriptors ();
    for (var i = 0; i < 10000; i++) {
        var file = new Mmio.File.open (path, READ_WRITE);
        if (i % 10 == 0)
            assert_cmpint (file.get_view (0, 200).get_data ().length, EQ, 200);
        if (i % 100 == 0)
            file.watch (NONE);
    }
    // Threads that watched may take a moment to end.
    var late = false;
    var timer = Timeout.add (TIMEOUT, () => {
        late = true;
        return Source.CONTINUE;
    });
    while (count_descriptors () > before && !late) {
        Thread.yield ();
        MainContext.default ().iteration (false);
    }
    Source.remove (timer);
    assert_cmpint (count_descriptors (), LE, before);
    FileUtils.get_contents ("/proc/self/maps", out maps);
    assert_false (path in maps);
}

void wait_for (string command, string signal_name, Mmio.File file) throws Error {
    var loop = new MainLoop ();
    var late = false;
    var handler = Signal.connect_swapped (file, signal_name, (Callback) MainLoop.quit, loop);
    var timer = Timeout.add (TIMEOUT, () => {
        Test.message ("%s did not come within %u ms after: %s", signal_name, TIMEOUT, command);
        Test.fail ();
        loop.quit ();
        late = true;
        return Source.REMOVE;
    });
    var launcher = new SubprocessLauncher (NONE);
    launcher.set_cwd (folder);
    launcher.spawn ("sh", "-c", command).wait_check ();
    loop.run ();
    if (!late)
        Source.remove (timer);
    file.disconnect (handler);
}

void test_signals () throws Error {
    var file = new Mmio.File.open (path, READ_WRITE);
    var events = new StringBuilder ();
    file.changed.connect ((offset, length) => events.append_printf ("changed %u %u;", (uint) offset, (uint) length));
    file.metadata.connect (() => events.append ("metadata;"));
    file.removed.connect (() => events.append ("removed;"));
    file.replaced.connect (() => events.append ("replaced;"));
    file.watch (NONE);
    assert_true (file.watching);
    wait_for ("printf appended >> file", "changed", file);
    assert_true (events.str.has_prefix ("changed 200 8;"));
    wait_for ("chmod 600 file", "metadata", file);
    assert_true ("metadata;" in events.str);
    file.settle_time = 20;
    wait_for ("printf x >> file", "settled", file);
    wait_for ("rm file", "removed", file);
    assert_true ("removed;" in events.str);
    wait_for ("printf again > temporary; mv temporary file", "replaced", file);
    assert_true ("replaced;" in events.str);
    file.reload ();
    assert_cmpmem (file.read_bytes (0, 5).get_data (), "again".data);
    file.unwatch ();
    assert_false (file.watching);
}

void test_lease () throws Error {
    var file = new Mmio.File.open (path, READ_ONLY);
    string? copy = null;
    file.about_to_change.connect (() => {
        try {
            copy = ((string) file.read_bytes (0, 200).get_data ()).substring (0, 200);
        } catch (Error error) {
            Test.message ("%s", error.message);
            Test.fail ();
        }
    });
    try {
        file.watch (LEASE);
    } catch (Mmio.Error.NOT_SUPPORTED error) {
        Test.skip (error.message);
        return;
    }
    var writer = new Subprocess (NONE, "sh", "-c", "printf anew > \"$0\"", path);
    var loop = new MainLoop ();
    writer.wait_async.begin (null, () => loop.quit ());
    loop.run ();
    assert_true (writer.get_successful ());
    assert_cmpstr (copy, EQ, string.nfill (200, 'x'));
    assert_cmpstr (content (), EQ, "anew");
}

void add (string name, Promise promise) {
    Test.add_data_func (name, () => {
        set_up ();
        try {
            promise ();
        } catch (Error error) {
            Test.message ("%s", error.message);
            Test.fail ();
        }
        tear_down ();
    });
}

int main (string[] args) {
    Test.init (ref args);
    add ("/vala/file/opens-in-every-way", test_open);
    add ("/vala/file/reads-and-writes", test_read_write);
    add ("/vala/file/lends-its-memory", test_zero_copy);
    add ("/vala/file/misuse-is-an-error", test_errors);
    add ("/vala/file/truncation-by-another-process-is-an-error", test_truncation);
    add ("/vala/file/copy-on-write-keeps-writes-to-itself", test_copy_on_write);
    add ("/vala/file/lives-as-long-as-what-was-got-from-it", test_lifetime);
    add ("/vala/file/a-fault-is-a-signal-and-heals", test_fault);
    add ("/vala/file/dropped-files-leave-nothing-behind", test_dropped);
    add ("/vala/file/all-four-signals-come", test_signals);
    add ("/vala/file/is-whole-until-the-handler-returns", test_lease);
    return Test.run ();
}
