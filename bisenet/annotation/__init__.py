"""From a raw folder to lists and labels that training can read: the only room that knows layouts and formats."""
