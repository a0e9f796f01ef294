// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Boost.Interprocess as a peer: reads and writes of a mapped_region by memcpy with the same bounds check, in a function that isn't
// inlined; opening and closing; a scan of records. Takes turns with the other sides (see bench-program.h).
//   peer-boost read|write hot|random PATH SIZE; peer-boost open PATH; peer-boost scan PATH SIZE

#include <boost/interprocess/file_mapping.hpp>
#include <boost/interprocess/mapped_region.hpp>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <iostream>
#include <memory>
#include <string>

namespace ipc = boost::interprocess;

namespace
{

struct Mapping
{
  ipc::file_mapping file;
  ipc::mapped_region region;

  Mapping (const std::string &path, ipc::mode_t mode) : file (path.c_str (), mode), region (file, mode) {}
};

__attribute__ ((noinline, aligned (64))) bool
read (const ipc::mapped_region &region, std::uint64_t offset, void *buffer, std::size_t count)
{
  if (offset > region.get_size () || count > region.get_size () - offset)
    return false;
  std::memcpy (buffer, static_cast<const char *> (region.get_address ()) + offset, count);
  return true;
}

__attribute__ ((noinline, aligned (64))) bool
write (const ipc::mapped_region &region, std::uint64_t offset, const void *data, std::size_t length)
{
  if (offset > region.get_size () || length > region.get_size () - offset)
    return false;
  std::memcpy (static_cast<char *> (region.get_address ()) + offset, data, length);
  return true;
}

using Run = std::function<void (std::uint64_t)>;

// The same offsets as those of the sides in C.
Run
copy (bool writes, bool hot, const std::string &path, std::size_t size)
{
  auto mapping = std::make_shared<Mapping> (path, ipc::read_write);
  volatile char *base = static_cast<char *> (mapping->region.get_address ());
  std::shared_ptr<char> buffer (static_cast<char *> (std::aligned_alloc (4096, 65536)), std::free);
  std::memset (buffer.get (), 0, 65536);
  // It has all pages before anything is timed, as the others do.
  for (std::size_t i = 0; i < mapping->region.get_size (); i += 4096)
    base[i] = base[i];

  /* Not the way that another side goes: see random_offset () in case-copy.c. */
  return [=, state = std::uint64_t (362436362436362437)] (std::uint64_t n) mutable {
    const std::uint64_t total = mapping->region.get_size ();

    for (std::uint64_t i = 0; i < n; i++)
      {
        std::uint64_t offset = (i * 64) & 4095;

        if (!hot)
          {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            offset = (state & (total - 1)) % (total - size);
          }
        if (writes)
          write (mapping->region, offset, buffer.get (), size);
        else
          read (mapping->region, offset, buffer.get (), size);
      }
  };
}

Run
scan (const std::string &path, std::size_t size)
{
  auto mapping = std::make_shared<Mapping> (path, ipc::read_only);

  return [=] (std::uint64_t n) {
    static volatile std::uint64_t sink;

    for (std::uint64_t i = 0; i < n; i++)
      {
        const char *base = static_cast<const char *> (mapping->region.get_address ());
        std::uint64_t sum = 0, word;

        for (std::size_t at = 0; at + size <= mapping->region.get_size (); at += size)
          {
            std::memcpy (&word, base + at, sizeof word);
            sum += word;
          }
        sink = sum;
      }
  };
}

void
serve (Run run)
{
  std::uint64_t n;

  run (1);
  std::cout << "ready" << std::endl;
  while (std::cin >> n)
    {
      auto start = std::chrono::steady_clock::now ();

      run (n);
      std::cout << std::chrono::duration_cast<std::chrono::nanoseconds> (std::chrono::steady_clock::now () - start).count () << std::endl;
    }
}

} // namespace

int
main (int argc, char **argv)
{
  const std::string what = argc > 1 ? argv[1] : "";

  try
    {
      if ((what == "read" || what == "write") && argc == 5)
        serve (copy (what == "write", std::string (argv[2]) == "hot", argv[3], std::stoul (argv[4])));
      else if (what == "open" && argc == 3)
        serve ([path = std::string (argv[2])] (std::uint64_t n) {
          for (std::uint64_t i = 0; i < n; i++)
            Mapping mapping (path, ipc::read_only);
        });
      else if (what == "scan" && argc == 4)
        serve (scan (argv[2], std::stoul (argv[3])));
      else
        {
          std::cout << "SKIP what is " << what << "?" << std::endl;
          return 2;
        }
    }
  catch (const std::exception &e)
    {
      std::cout << "SKIP " << e.what () << std::endl;
      return 1;
    }
  return 0;
}
