// The page "Band": spectrum, waterfall, panorama and table of the signals.

import { followConvention, followTheme } from "./settings.js";

followTheme(() => {});
followConvention(() => {});
