/**
 * The photo that Photo and Quality look at: it stays when one leads to the other, or when somebody
 * comes back from the page of a person. It is in the memory of this tab alone, and forgotten with the key.
 */

import { keyDemand } from "../../core/keys.js";
import { createStore } from "../../core/store.js";

export const presentPhoto = createStore(null);

keyDemand.subscribe(({ needed }) => needed && presentPhoto.set(null));
