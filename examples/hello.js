// SPDX-License-Identifier: LGPL-2.1-or-later
import Mmio from 'gi://Mmio?version=1.0';

const file = Mmio.File.open_or_create('hello.bin', 4096);
file.write(0, new TextEncoder().encode('hello'));
file.flush();
print(new TextDecoder().decode(file.read(0, 5)));
file.close();
