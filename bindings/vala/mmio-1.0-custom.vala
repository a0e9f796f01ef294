// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What has no counterpart in C: foreach asks for an iterator, and what chunks () returns is one.
namespace Mmio {
    [Compact]
    public class ChunkIter {
        [CCode (cname = "mmio_chunk_iter_copy")]
        public ChunkIter iterator ();
    }
}
