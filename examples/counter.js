// SPDX-License-Identifier: LGPL-2.1-or-later
//
// counter FILE N: adds one to a counter N times, beside any number of other processes that do the same, and prints it.

import Mmio from 'gi://Mmio?version=1.0';
import {programArgs} from 'system';

const file = Mmio.File.open_or_create(programArgs[0], 8);
const counter = file.get_atomic_u64(0);

for (let i = Number(programArgs[1]); i > 0; i--)
    counter.add(0, 1);
print(counter.load(0));
counter.release();
file.close();
