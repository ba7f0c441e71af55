// SPDX-License-Identifier: MIT
import api from './index.cjs';

export const { MizzleError, binaryPath, migrate, plan, run, status, verify } = api;
