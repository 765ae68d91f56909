Console.WriteLine("RegistryTools.Host");
